"""No address has two spellings: each would have its own count of wrong passwords."""

import asyncio
from typing import Any, cast

import pytest

from orchestrator_api.people.sign_in import account_key
from orchestrator_api.people.store import PeopleStore


class Lowering:
    """A database that turns İ into i, as those with the locale en_US.utf8 or C.UTF-8 do, but not Python."""

    async def fetchrow(self, _query: str, email: str) -> dict[str, Any] | None:
        assert email.translate({0x130: "i", 0x212A: "k"}).lower() == "kim@example.com"
        return {"id": None, "email": "kim@example.com", "password_hash": None, "is_disabled": False}


@pytest.mark.parametrize("spelled", ["KIM@example.com", "K\u0130M@example.com", "\u212aim@example.com"])
def test_whoever_is_found_is_counted_by_the_same_key(spelled: str) -> None:
    found = asyncio.run(PeopleStore(cast(Any, Lowering())).credentials(email=spelled))
    assert found is None or account_key(spelled) == account_key(found.email)
    assert (found is not None) == spelled.isascii()
