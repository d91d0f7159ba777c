"""Arrays are known to a connection as the server describes them, and nobody asks the server."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg.introspection import INTRO_LOOKUP_TYPES
from tests.support.databases import Database
from tests.support.servers import REPOSITORY

from orchestrator_shared.database.array_types import ARRAYS, DESCRIBED
from orchestrator_shared.database.pool import prepare_connection

VALUES: dict[str, list[Any]] = {
    "bool": [True, None],
    "bytea": [b"\x00"],
    "int2": [-1],
    "int4": [2**31 - 1],
    "int8": [2**63 - 1],
    "float8": [0.5],
    "date": [date(2026, 11, 30)],
    "timestamptz": [datetime(2026, 11, 30, 12, tzinfo=UTC)],
    "numeric": [Decimal("1.50")],
    "json": [{"a": [1]}, "text"],
    "uuid": [UUID(int=7)],
    "jsonb": [{"a": [1]}, None],
}
NAMES = {"boolean": "bool", "smallint": "int2", "integer": "int4", "bigint": "int8"}


async def test_the_server_describes_them_alike(empty_database: Database) -> None:
    async with empty_database.connection() as connection:
        rows = await connection.fetch(INTRO_LOOKUP_TYPES, list(ARRAYS.values()))
    arrays = {row["oid"]: dict(row) for row in rows if row["elemtype"]}
    assert len(arrays) == len(DESCRIBED)
    for described in DESCRIBED:
        assert described.items() <= arrays[described["oid"]].items()


async def test_values_pass_both_ways_without_a_question(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(*_: Any) -> None:
        raise AssertionError("asyncpg asks the server about a type")

    assert VALUES.keys() == ARRAYS.keys()
    async with empty_database.connection() as connection:
        await prepare_connection(connection)
        monkeypatch.setattr(asyncpg.Connection, "_introspect_types", asked)
        for element, values in VALUES.items():
            assert await connection.fetchval(f"SELECT $1::{element}[]", values) == values


def test_every_array_in_our_statements_is_known() -> None:
    files = [file for part in ("shared", "services") for file in (REPOSITORY / part).rglob("*.sql")]
    named = {name for file in files for name in re.findall(r"\b([a-z]\w*)\[\]", file.read_text())}
    assert len(named) > 5
    assert {NAMES.get(name, name) for name in named} - {"text"} <= ARRAYS.keys()
