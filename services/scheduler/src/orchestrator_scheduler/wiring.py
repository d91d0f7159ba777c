"""Wires the scheduler: the only place where its adapters are made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from orchestrator_scheduler import metrics
from orchestrator_scheduler.adapters.store import ScheduleStore
from orchestrator_scheduler.domain.evaluation import Limits
from orchestrator_scheduler.handlers.catalog_sync import CatalogSync
from orchestrator_scheduler.handlers.firing import Firing, fire_forever
from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_shared.contracts.routing import SCHEDULER_CHANGES
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import UnitsOfWork
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import open_skeleton


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Everything one replica does."""

    firing: Firing
    catalog_sync: CatalogSync


def build(outbox: UnitsOfWork, connections: Connections, limits: Limits, *, batch: int = 20) -> Scheduler:
    """The handlers joined."""
    firing = Firing(outbox=outbox, connections=connections, limits=limits, batch=batch)
    return Scheduler(firing, CatalogSync(connections=connections, firing=firing))


def limits(settings: SchedulerSettings) -> Limits:
    return Limits(timedelta(seconds=settings.misfire_grace_seconds), settings.fire_all_most)


def retention(connections: Connections, *, days: float, batch: int) -> Retention:
    """Deletes fires past their retention, and what is left of deleted schedules."""
    return Retention(
        connections,
        ScheduleStore.queries,
        {"forget_fires": {"older_than": timedelta(days=days)}, "forget_next_fires": {}},
        batch=batch,
        count=lambda _, rows: metrics.FORGOTTEN.inc(rows),
    )


@asynccontextmanager
async def start(settings: SchedulerSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work, and close in order."""
    async with open_skeleton(settings, lifecycle) as skeleton:
        outbox = skeleton.outbox("scheduler")
        scheduler = build(outbox, skeleton.connections, limits(settings), batch=settings.fire_batch_size)
        old = retention(
            skeleton.connections, days=settings.retention_days, batch=settings.retention_batch_size
        )

        async def fire() -> None:
            await fire_forever(scheduler.firing, poll=settings.poll_seconds, stopping=lifecycle.stopping)

        changes = Consumer(
            skeleton.broker, SCHEDULER_CHANGES, scheduler.catalog_sync.by_message(), concurrency=4
        )
        skeleton.consume("changes", changes)
        skeleton.repeat("fire", fire, every=settings.poll_seconds)
        skeleton.repeat("scan", scheduler.catalog_sync.scan, every=settings.scan_seconds)
        skeleton.repeat("retention", old.once, every=settings.retention_interval_seconds)
        yield
