"""Typed rows and named parameters: what a store is given, what it gives back, and what it refuses."""

from dataclasses import dataclass
from enum import StrEnum

import pytest
from tests.support.databases import Database

from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.database.queries import Queries, QueryError
from orchestrator_shared.database.store import Store


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    colour: Colour | None
    tags: tuple[str, ...]
    detail: dict[str, int] | None = None


class ThingStore(Store):
    queries = Queries(
        {
            "things": "SELECT * FROM (VALUES ('a', 'red', '{x,y}'::text[]), ('b', NULL, '{}'))"
            " AS thing (name, colour, tags) WHERE name <= $to AND name >= $from ORDER BY name",
            "detail": "SELECT $name::text AS name, 'blue' AS colour, '{}'::text[] AS tags,"
            " $detail::jsonb AS detail",
            "more": "SELECT 'c' AS name, 'red' AS colour, '{}'::text[] AS tags, 1 AS size",
            "unknown": "SELECT 'd' AS name, 'green' AS colour, '{}'::text[] AS tags",
            "total": "SELECT count(*) FROM generate_series(1, $n::int)",
            "drop": "DELETE FROM catalog.projects WHERE id = $id",
        }
    )

    async def things(self, first: str, last: str) -> list[Thing]:
        return await self._many(Thing, "things", **{"from": first, "to": last})

    async def thing(self, query: str, **values: object) -> Thing | None:
        return await self._one(Thing, query, **values)

    async def counted(self, **values: object) -> tuple[int | None, list[int], int]:
        return (
            await self._value(int, "total", **values),
            await self._column(int, "total", **values),
            await self._run("drop", id="nothing"),
        )


async def test_rows_are_dataclasses_and_arguments_go_by_name(database: Database) -> None:
    async with database.connection("api") as connection:
        await prepare_connection(connection)
        store = ThingStore(connection)
        assert await store.things("a", "b") == [
            Thing("a", Colour.RED, ("x", "y")),
            Thing("b", None, ()),
        ]
        detail = {"n": 1}
        found = await store.thing("detail", name="e", detail=detail)
        assert found == Thing("e", Colour.BLUE, (), detail)
        assert await store.counted(n=3) == (3, [3], 0)


async def test_what_does_not_fit_is_an_error_of_the_code(database: Database) -> None:
    async with database.connection("api") as connection:
        store = ThingStore(connection)
        with pytest.raises(QueryError, match="'total' takes n; given were m"):
            await store.counted(m=3)
        with pytest.raises(TypeError, match="size"):
            await store.thing("more")
        with pytest.raises(ValueError, match="green"):
            await store.thing("unknown")
        with pytest.raises(QueryError, match="no query 'nothing'"):
            await store.thing("nothing")
