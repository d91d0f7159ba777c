"""Ingests table updates: numbers them, decides what each means for its table's triggers, and fires."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator_shared.database.pool import Connections
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.tables import TableRef
from orchestrator_shared.messaging.outbox import UnitOfWork, UnitsOfWork
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import Numbered, Update, UpdateKey, UpdateStore
from orchestrator_trigger_watcher.domain.decisions import UpdateHeard
from orchestrator_trigger_watcher.domain.states import TriggerState
from orchestrator_trigger_watcher.handlers.announcing import announce
from orchestrator_trigger_watcher.handlers.reconciliation import catch_up
from orchestrator_trigger_watcher.handlers.recording import record


class Ingestion:
    """Takes updates in order of arrival; a repeated delivery is only counted."""

    def __init__(self, *, outbox: UnitsOfWork, connections: Connections) -> None:
        self._outbox = outbox
        self._connections = connections

    async def ingest(self, updates: Sequence[Update]) -> None:
        """All or nothing; raises MessageFault for a project that does not exist."""
        arrived = merge(updates)
        tables = {update.table for update in arrived}
        await self._check_projects(tables)
        async with self._outbox.work() as work:
            store = UpdateStore(work.connection)
            last = await store.lock_tables(tables=tables)
            known = await store.count_deliveries(updates=arrived)
            new = [update for update in arrived if update.key not in known]
            if new:
                await self._ingest_new(work, await store.with_chains(updates=new), last)
            work.after_commit(lambda: _count(updates, new))

    async def _check_projects(self, tables: set[TableRef]) -> None:
        async with self._connections() as connection:
            unknown = await CatalogStore(connection).unknown_projects(
                projects={table.project for table in tables}
            )
        if unknown:
            raise MessageFault(f"data.project: there is no project {min(unknown)!r}")

    async def _ingest_new(self, work: UnitOfWork, new: Sequence[Update], last: dict[TableRef, int]) -> None:
        updates = UpdateStore(work.connection)
        locked = await TriggerStore(work.connection).lock_of_tables(tables={update.table for update in new})
        heard = number(new, last, await updates.now())
        recorded = await updates.insert(heard=heard)
        heard = [item for item in heard if item.update.key in recorded]
        latest = {item.update.table: item for item in heard}
        await updates.advance(latest=latest)
        judged = await self._decide(work, locked, heard) if locked and heard else []
        announce(work, judged, latest)

    async def _decide(
        self, work: UnitOfWork, locked: Sequence[TriggerId], heard: Sequence[Numbered]
    ) -> Sequence[TriggerState]:
        ledger = await catch_up(work, locked)
        ledger.pass_time(heard[0].at)
        for item in heard:
            ledger.hear(UpdateHeard(item.update.table, item.seq, item.at, item.update.chain_length))
        await record(work, ledger)
        return ledger.judged()


def merge(updates: Iterable[Update]) -> list[Update]:
    """The same update twice in one batch is one, delivered twice."""
    merged: dict[UpdateKey, Update] = {}
    for update in updates:
        first = merged.get(update.key)
        merged[update.key] = update if first is None else replace(first, deliveries=first.deliveries + 1)
    return list(merged.values())


def number(new: Sequence[Update], last: dict[TableRef, int], now: datetime) -> list[Numbered]:
    """Numbers per table and times in the order of arrival; microseconds keep the order within a batch."""
    latest = dict(last)
    numbered = []
    for position, update in enumerate(new):
        latest[update.table] += 1
        numbered.append(Numbered(update, latest[update.table], now + timedelta(microseconds=position)))
    return numbered


def _count(updates: Sequence[Update], new: Sequence[Update]) -> None:
    metrics.UPDATES.labels("new").inc(len(new))
    metrics.UPDATES.labels("repeated").inc(len(updates) - len(new))
