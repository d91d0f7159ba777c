"""Measures what triggers wait for, for the metrics: one trigger-watcher does so for all."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_trigger_watcher import metrics

MOST = 10_000
CANDIDATES = 1_000
SHOWN = 50
"""Each of them is a series of its own: the triggers whose data is oldest."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    tables_updated: int
    tables_awaited: int
    project: str | None
    """None, as all below, if no trigger waits with an update."""
    orchestration: str | None
    trigger_id: UUID | None
    awaited: int | None
    seconds: float | None


class MeasuringStore(Store):
    """Looks at no more than `MOST` triggers."""

    queries = Queries.load(__package__, "measuring.sql")

    async def waiting(self) -> list[_Waiting]:
        """The triggers whose data has been waiting longest, each with the sums of all; at least one row."""
        return await self._many(_Waiting, "waiting", most=MOST, candidates=CANDIDATES, shown=SHOWN)


async def measure(connection: asyncpg.Connection) -> None:
    """Set the gauges about all triggers."""
    found = await MeasuringStore(connection).waiting()
    forget()
    metrics.TABLES.labels("updated").set(found[0].tables_updated)
    metrics.TABLES.labels("awaited").set(found[0].tables_awaited)
    for each in found:
        if each.seconds is not None and each.awaited is not None:
            labels = (each.project, each.orchestration, str(each.trigger_id))
            metrics.DATA_AGE.labels(*labels).set(each.seconds)
            metrics.TABLES_AWAITED.labels(*labels).set(each.awaited)


def forget() -> None:
    """Report them no more: another replica does, or they are others now."""
    for gauge in (metrics.TABLES, metrics.DATA_AGE, metrics.TABLES_AWAITED):
        gauge.clear()
