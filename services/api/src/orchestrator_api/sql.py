"""Running named queries on the connection of one transaction."""

from typing import Any

import asyncpg

from orchestrator_shared.database.queries import Queries

Row = dict[str, Any]

FILES = (
    "tables/store.sql",
    "orchestrations/store.sql",
    "schedules/store.sql",
    "triggers/store.sql",
)


def load_queries() -> Queries:
    """Every query of the api."""
    return Queries.load("orchestrator_api", *FILES)


class Sql:
    """Named queries, and rows as dicts."""

    def __init__(self, connection: asyncpg.Connection, queries: Queries) -> None:
        self._connection = connection
        self._queries = queries

    async def one(self, name: str, *values: Any) -> Row | None:
        """The only row, or None."""
        row = await self._connection.fetchrow(self._queries[name], *values)
        return None if row is None else dict(row)

    async def many(self, name: str, *values: Any) -> list[Row]:
        """All rows."""
        return [dict(row) for row in await self._connection.fetch(self._queries[name], *values)]

    async def value(self, name: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._connection.fetchval(self._queries[name], *values)

    async def column(self, name: str, *values: Any) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in await self._connection.fetch(self._queries[name], *values)]

    async def run(self, name: str, *values: Any) -> int:
        """Carry out a statement; returns the number of rows it touched."""
        status = await self._connection.execute(self._queries[name], *values)
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0
