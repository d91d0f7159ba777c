"""Updates as they are heard: unique, numbered per table, counted when delivered again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.adapters.rows import ChainRow, TableRow, UpdateKeyRow, split, table_ref

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


class UpdateStore(Store):
    """`triggers.tables` and `triggers.updates`."""

    queries = Queries.load(__package__, "update_store.sql")

    async def lock_tables(self, *, tables: Iterable[TableRef]) -> dict[TableRef, int]:
        """Lock the tables' rows in order, making those not heard of yet; returns each one's last number."""
        rows = await self._many(TableRow, "lock_tables", **split(tables))
        return {table_ref(row.project, row.name): row.last_seq for row in rows}

    async def count_deliveries(self, *, updates: Sequence[Update]) -> set[UpdateKey]:
        """Count the updates that were heard before as delivered again; returns their keys."""
        rows = await self._many(
            UpdateKeyRow,
            "count_deliveries",
            **_keys(updates),
            times=[update.deliveries for update in updates],
        )
        return {_key(row) for row in rows}

    async def insert(self, *, heard: Sequence[Numbered]) -> set[UpdateKey]:
        """Record updates, also those whose id another table has; returns their keys."""
        recorded = await self._insert(heard)
        others = [item for item in heard if item.update.key not in recorded]
        if others:  # the lock of their table makes sure that no one else inserts the same
            recorded |= await self._insert(others, beside_another_table=True)
        return recorded

    async def _insert(
        self, heard: Sequence[Numbered], *, beside_another_table: bool = False
    ) -> set[UpdateKey]:
        updates = [item.update for item in heard]
        keys = _keys(updates)
        stored = [f"{id_}\x1f{name}" for id_, name in zip(keys["event_ids"], keys["names"], strict=True)]
        rows = await self._many(
            UpdateKeyRow,
            "insert_updates",
            projects=keys["projects"],
            sources=keys["sources"],
            event_ids=stored if beside_another_table else keys["event_ids"],
            told_ids=keys["event_ids"] if beside_another_table else [None] * len(updates),
            names=keys["names"],
            numbers=[item.seq for item in heard],
            heard_at=[item.at for item in heard],
            said_at=[update.said_at for update in updates],
            row_counts=[update.rows for update in updates],
            job_ids=[update.job_id for update in updates],
            deliveries=[update.deliveries for update in updates],
            chain_lengths=[update.chain_length for update in updates],
        )
        return {_key(row) for row in rows}

    async def with_chains(self, *, updates: Sequence[Update]) -> list[Update]:
        """The updates with the chains of the jobs that they name, for producers that name only the job."""
        jobs = [update.job_id for update in updates if update.job_id and not update.chain_length]
        if not jobs:
            return list(updates)
        rows = await self._many(ChainRow, "chains_of_jobs", job_ids=jobs)
        known: dict[UUID | None, int] = {row.id: row.chain_length for row in rows}
        return [
            replace(update, chain_length=update.chain_length or known.get(update.job_id, 0))
            for update in updates
        ]

    async def advance(self, *, latest: Mapping[TableRef, Numbered]) -> None:
        """Set each table's newest number and the time that it was heard."""
        await self._run(
            "advance_tables",
            **split(latest),
            numbers=[item.seq for item in latest.values()],
            times=[item.at for item in latest.values()],
        )

    async def now(self) -> datetime:
        """The database's clock, not frozen in a transaction: read it under the locks that order things."""
        at = await self._value(datetime, "read_clock")
        assert at is not None
        return at


def _keys(updates: Sequence[Update]) -> dict[str, list[str]]:
    keys = [update.key for update in updates]
    columns = ("projects", "sources", "event_ids", "names")
    return {name: [key[part] for key in keys] for part, name in enumerate(columns)}


def _key(row: UpdateKeyRow) -> UpdateKey:
    return (row.project, row.source, row.event_id, row.table_name)
