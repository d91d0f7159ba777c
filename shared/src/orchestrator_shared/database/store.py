"""Access to the database: statements in a file beside the store, keyword arguments in, dataclasses out."""

from collections.abc import Mapping
from typing import ClassVar, TypeVar, cast

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import row_as

T = TypeVar("T")


class Store:
    """The statements of one file on one connection; the caller decides what is one transaction."""

    queries: ClassVar[Queries]

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def _one(self, kind: type[T], query: str, /, **values: object) -> T | None:
        """The first row, or None."""
        row = await self._connection.fetchrow(self.queries[query], *self._given(query, values))
        return None if row is None else row_as(kind, row)

    async def _many(self, kind: type[T], query: str, /, **values: object) -> list[T]:
        """All rows."""
        rows = await self._connection.fetch(self.queries[query], *self._given(query, values))
        return [row_as(kind, row) for row in rows]

    async def _value(self, kind: type[T], query: str, /, **values: object) -> T | None:
        """The only column of the first row, or None."""
        return cast(
            "T | None",
            await self._connection.fetchval(self.queries[query], *self._given(query, values)),
        )

    async def _column(self, kind: type[T], query: str, /, **values: object) -> list[T]:
        """The only column of all rows."""
        rows = await self._connection.fetch(self.queries[query], *self._given(query, values))
        return [cast("T", row[0]) for row in rows]

    async def _run(self, query: str, /, **values: object) -> int:
        """Carry out a statement; returns the number of rows it touched."""
        status: str = await self._connection.execute(self.queries[query], *self._given(query, values))
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0

    def _given(self, query: str, values: Mapping[str, object]) -> list[object]:
        return self.queries.arguments(query, values)
