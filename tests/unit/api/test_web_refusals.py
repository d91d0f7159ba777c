"""What a page says when something is away."""

import pytest

from orchestrator_api.web.guarding import away


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the api is busy with other requests", "The server is busy with other requests"),
        ("the api is busy with other long-running requests", "The server is busy with other requests"),
        ("the broker at 10.0.0.1:5672 does not answer (no)", "The message broker does not answer"),
        ("the database does not answer: timeout", "The database does not answer"),
    ],
)
def test_the_page_says_what_is_away(reason: str, said: str) -> None:
    assert away(reason) == said
