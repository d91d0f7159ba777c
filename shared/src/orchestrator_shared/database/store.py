"""The way to the database: statements in a file beside the store, keyword arguments in, dataclasses out."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum
from types import UnionType
from typing import Any, ClassVar, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import asyncpg

from orchestrator_shared.database.queries import Queries

T = TypeVar("T")
JsonObject = dict[str, Any]
"""A json or jsonb column that holds an object."""


class Store:
    """The statements of one file on one connection; the caller says what is one transaction."""

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


def row_as(kind: type[T], row: asyncpg.Record | Mapping[str, Any]) -> T:
    """A row as a dataclass whose fields are its columns: enums by their value, arrays as tuples."""
    values = dict(row.items())
    if kind not in _KNOWN:
        _KNOWN[kind] = _conversions(kind)
    for name, convert in _KNOWN[kind].items():
        if values.get(name) is not None:
            values[name] = convert(values[name])
    return kind(**values)


_KNOWN: dict[type, Mapping[str, Callable[[Any], object]]] = {}


def _conversions(kind: type) -> Mapping[str, Callable[[Any], object]]:
    hints = get_type_hints(kind)
    found = {each.name: _conversion(hints[each.name]) for each in fields(kind)}
    return {name: convert for name, convert in found.items() if convert is not None}


def _conversion(hint: Any) -> Callable[[Any], object] | None:
    for each in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if isinstance(each, type) and issubclass(each, Enum):
            return each
        if each is tuple or get_origin(each) is tuple:
            return tuple
    return None
