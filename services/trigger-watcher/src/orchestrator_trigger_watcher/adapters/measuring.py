"""Measures what triggers wait for, for the metrics: one trigger-watcher does so for all."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_trigger_watcher import metrics

MOST = 10_000
SHOWN = 50
"""Each of them is a series of its own: the triggers whose data is oldest."""


@dataclass(frozen=True, slots=True)
class _Tables:
    updated: int
    awaited: int


@dataclass(frozen=True, slots=True)
class _OldData:
    project: str
    orchestration: str
    trigger_id: UUID
    awaited: int
    seconds: float


class MeasuringStore(Store):
    """Looks at no more than `MOST` triggers."""

    queries = Queries.load(__package__, "measuring.sql")

    async def tables(self) -> _Tables:
        """Tables that were updated, and that their triggers wait for."""
        row = await self._one(_Tables, "tables", most=MOST)
        assert row is not None, "an aggregate has a row"
        return row

    async def oldest_data(self) -> list[_OldData]:
        """The triggers whose data has been waiting longest."""
        return await self._many(_OldData, "oldest_data", most=MOST, shown=SHOWN)


async def measure(connection: asyncpg.Connection) -> None:
    """Set the gauges about all triggers."""
    store = MeasuringStore(connection)
    tables, oldest = await store.tables(), await store.oldest_data()
    forget()
    metrics.TABLES.labels("updated").set(tables.updated)
    metrics.TABLES.labels("awaited").set(tables.awaited)
    for each in oldest:
        labels = (each.project, each.orchestration, str(each.trigger_id))
        metrics.DATA_AGE.labels(*labels).set(each.seconds)
        metrics.TABLES_AWAITED.labels(*labels).set(each.awaited)


def forget() -> None:
    """Report them no more: another replica does, or they are others now."""
    for gauge in (metrics.TABLES, metrics.DATA_AGE, metrics.TABLES_AWAITED):
        gauge.clear()
