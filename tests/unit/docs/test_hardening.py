"""The guide for hardening gives the broker's users the rights with which the services are tested."""

from tests.support import documentation as docs
from tests.support.stack_settings import RIGHTS


def test_the_rights_of_the_brokers_users_are_those_of_the_tests() -> None:
    rows = docs.table_rows(docs.DOCS / "how-to" / "harden.md", columns=4)
    told = {
        service: tuple(cell.strip("`").replace("\\|", "|") for cell in rights) for service, *rights in rows
    }
    assert told == RIGHTS
