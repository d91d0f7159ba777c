"""Updates as they are heard: unique, numbered per table, counted when delivered again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.adapters.catalog_store import split, table_ref

UpdateKey = tuple[str, str, str, str]
"""Project, source, event id and table: what makes an update one and the same."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update as its producer published it; `deliveries` counts it within one batch."""

    table: TableRef
    source: str
    event_id: str
    said_at: datetime | None = None
    rows: int | None = None
    job_id: UUID | None = None
    deliveries: int = 1
    chain_length: int = 0
    """How many runs in a row led to it, each caused by updates of the one before."""

    @property
    def key(self) -> UpdateKey:
        return (self.table.project, self.source, self.event_id, str(self.table.name))


@dataclass(frozen=True, slots=True)
class Numbered:
    """An update with its place in the order of its table."""

    update: Update
    seq: int
    at: datetime


class UpdateStore:
    """`triggers.tables` and `triggers.updates`; every method works in the caller's transaction."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def lock_tables(
        self, connection: asyncpg.Connection, tables: Iterable[TableRef]
    ) -> dict[TableRef, int]:
        """Lock the tables' rows in order, making those not heard of yet; returns each one's last number."""
        rows = await connection.fetch(self._queries["lock_tables"], *split(tables))
        return {table_ref(row["project"], row["name"]): row["last_seq"] for row in rows}

    async def count_deliveries(
        self, connection: asyncpg.Connection, updates: Sequence[Update]
    ) -> set[UpdateKey]:
        """Count the updates that were heard before as delivered again; returns their keys."""
        rows = await connection.fetch(
            self._queries["count_deliveries"],
            *_keys(updates),
            [update.deliveries for update in updates],
        )
        return {_key(row) for row in rows}

    async def insert(self, connection: asyncpg.Connection, heard: Sequence[Numbered]) -> set[UpdateKey]:
        """Record updates, also those whose id another table has; returns their keys."""
        recorded = await self._insert(connection, heard)
        others = [item for item in heard if item.update.key not in recorded]
        if others:  # the lock of their table makes sure that no one else inserts the same
            recorded |= await self._insert(connection, others, beside_another_table=True)
        return recorded

    async def _insert(
        self, connection: asyncpg.Connection, heard: Sequence[Numbered], *, beside_another_table: bool = False
    ) -> set[UpdateKey]:
        updates = [item.update for item in heard]
        projects, sources, ids, tables = _keys(updates)
        stored = [f"{id_}\x1f{table}" for id_, table in zip(ids, tables, strict=True)]
        rows = await connection.fetch(
            self._queries["insert_updates"],
            projects,
            sources,
            stored if beside_another_table else ids,
            ids if beside_another_table else [None] * len(ids),
            tables,
            [item.seq for item in heard],
            [item.at for item in heard],
            [update.said_at for update in updates],
            [update.rows for update in updates],
            [update.job_id for update in updates],
            [update.deliveries for update in updates],
            [update.chain_length for update in updates],
        )
        return {_key(row) for row in rows}

    async def with_chains(self, connection: asyncpg.Connection, updates: Sequence[Update]) -> list[Update]:
        """The updates with the chains of the jobs that they name, for producers that name only the job."""
        jobs = [update.job_id for update in updates if update.job_id and not update.chain_length]
        if not jobs:
            return list(updates)
        rows = await connection.fetch(self._queries["chains_of_jobs"], jobs)
        known = {row["id"]: row["chain_length"] for row in rows}
        return [
            replace(update, chain_length=update.chain_length or known.get(update.job_id, 0))
            for update in updates
        ]

    async def advance(self, connection: asyncpg.Connection, latest: Mapping[TableRef, Numbered]) -> None:
        projects, names = split(latest)
        numbers = [item.seq for item in latest.values()]
        times = [item.at for item in latest.values()]
        await connection.execute(self._queries["advance_tables"], projects, names, numbers, times)

    async def now(self, connection: asyncpg.Connection) -> datetime:
        """The database's clock, not frozen in a transaction: read it under the locks that order things."""
        at: datetime = await connection.fetchval(self._queries["read_clock"])
        return at


def _keys(updates: Sequence[Update]) -> tuple[list[str], ...]:
    keys = [update.key for update in updates]
    return tuple([key[part] for key in keys] for part in range(4))


def _key(row: asyncpg.Record) -> UpdateKey:
    return (row["project"], row["source"], row["event_id"], row["table_name"])
