"""The rows of one outbox table."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.messaging.publisher import Outgoing

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Backlog:
    """The number of waiting rows (counted up to 10,000) and the age of the oldest."""

    rows: int
    oldest_seconds: float


class OutboxStore:
    """Reads and writes `<schema>.outbox`; apart from `insert`, each call is a transaction of its own."""

    def __init__(self, pool: asyncpg.Pool, *, schema: str) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise ValueError(f"schema {schema!r} is not a plain name")
        self.schema = schema
        self._pool = pool
        queries = Queries.load(__package__, "outbox.sql")
        self._sql = {name: sql.replace("{outbox}", f"{schema}.outbox") for name, sql in _items(queries)}

    async def insert(self, connection: asyncpg.Connection, rows: Sequence[Outgoing]) -> None:
        """Add rows within the caller's transaction, in one statement."""
        await connection.execute(self._sql["insert"], *_columns(rows))

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete what the broker has confirmed."""
        async with acquire(self._pool) as connection:
            await connection.execute(self._sql["delete"], _uuids(ids))

    async def claim(
        self, *, older_than: float, limit: int, lease: float, not_these: Collection[str]
    ) -> list[Outgoing]:
        """Lease rows that no one else works on, for `lease` seconds, oldest first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(self._sql["claim"], older_than, limit, lease, _uuids(not_these))
        return [_outgoing(row) for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))]

    async def postpone(self, ids: Sequence[str], *, seconds: float) -> None:
        """Put these off."""
        async with acquire(self._pool) as connection:
            await connection.execute(self._sql["postpone"], _uuids(ids), seconds)

    async def measure(self) -> Backlog:
        """The current backlog."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(self._sql["measure"])
        assert row is not None
        return Backlog(rows=row["rows"], oldest_seconds=row["oldest"])


async def insert(connection: asyncpg.Connection, schema: str, rows: Sequence[Outgoing]) -> None:
    """Add rows to the outbox of a service that may not be running."""
    sql = Queries.load(__package__, "outbox.sql")["insert"].replace("{outbox}", f"{schema}.outbox")
    await connection.execute(sql, *_columns(rows))


def _columns(rows: Sequence[Outgoing]) -> tuple[list[object], ...]:
    return (
        [UUID(row.id) for row in rows],
        [row.exchange for row in rows],
        [row.routing_key for row in rows],
        [row.mandatory for row in rows],
        [row.body for row in rows],
    )


def _items(queries: Queries) -> list[tuple[str, str]]:
    return [(name, queries[name]) for name in queries.names()]


def _uuids(ids: Collection[str]) -> list[UUID]:
    return [UUID(text) for text in ids]


def _outgoing(row: asyncpg.Record) -> Outgoing:
    return Outgoing(
        id=str(row["id"]),
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        body=row["body"],
        mandatory=row["mandatory"],
    )
