"""The list of pages that `make soak` opens in every look is whole."""

from tests.support.web_pages import NOT_OPENED, QUERIES, REFUSED, opened, unknown_parts

from orchestrator_api.web.addresses import PAGES


def test_the_soak_opens_every_page() -> None:
    """A new part of an address needs a value in `tests/support/web_pages.py`, or a reason in NOT_OPENED."""
    assert unknown_parts() == {}
    names = {page.name for page in PAGES}
    assert NOT_OPENED.keys() | REFUSED.keys() | QUERIES.keys() <= names
    assert len({page.name for page in opened()}) > 20
