"""The scheduler put together: the only place where its adapters are made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from orchestrator_scheduler import metrics
from orchestrator_scheduler.adapters.schedule_store import ScheduleStore
from orchestrator_scheduler.domain.evaluation import Limits
from orchestrator_scheduler.handlers.catalog_sync import Following
from orchestrator_scheduler.handlers.firing import Firing, fire_forever
from orchestrator_scheduler.ports import Connections, Transactions
from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_shared.contracts.routing import SCHEDULER_CHANGES
from orchestrator_shared.database.pool import acquire, database, writable
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Forgetting
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.periodic import repeat

NAME = "scheduler"
FLUSH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Everything one replica does."""

    firing: Firing
    following: Following


def load_queries() -> Queries:
    return Queries.load("orchestrator_scheduler.adapters", "schedules.sql")


def build(
    transactions: Transactions, connections: Connections, queries: Queries, limits: Limits, *, batch: int = 20
) -> Scheduler:
    """The handlers on their store."""
    schedules = ScheduleStore(queries)
    firing = Firing(
        transactions=transactions, connections=connections, schedules=schedules, limits=limits, batch=batch
    )
    return Scheduler(firing, Following(connections=connections, schedules=schedules, firing=firing))


def limits(settings: SchedulerSettings) -> Limits:
    return Limits(timedelta(seconds=settings.misfire_grace_seconds), settings.fire_all_most)


def retention(connections: Connections, queries: Queries, *, days: float, batch: int) -> Forgetting:
    """Fires that are past their time."""
    return Forgetting(
        connections,
        queries,
        {"forget_fires": (timedelta(days=days),)},
        batch=batch,
        count=lambda _, rows: metrics.FORGOTTEN.inc(rows),
    )


@asynccontextmanager
async def start(settings: SchedulerSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work, and close in order."""
    async with (
        database(settings, application_name=f"orchestrator-{NAME}") as pool,
        Broker.open(settings.amqp_url, name=NAME, start_timeout=settings.startup_timeout_seconds) as broker,
    ):
        outbox = Outbox(schema="scheduler", source=f"/{NAME}", pool=pool, publisher=broker.publisher)
        connections, queries = partial(acquire, pool), load_queries()
        scheduler = build(outbox, connections, queries, limits(settings), batch=settings.fire_batch_size)
        forgetting = retention(
            connections, queries, days=settings.retention_days, batch=settings.retention_batch_size
        )
        changes = Consumer(broker, SCHEDULER_CHANGES, scheduler.following.by_message(), concurrency=4)
        lifecycle.ready_when("database", partial(writable, pool))
        lifecycle.ready_when("broker", broker.ready)
        lifecycle.ready_when("consumers", lambda: changes.consuming)
        async with lifecycle.supervised("outbox", outbox.run()):
            tasks = [
                lifecycle.supervise("changes", changes.run(lifecycle.stopping)),
                *_supervise_loops(scheduler, forgetting, settings, lifecycle),
            ]
            yield
            await asyncio.wait(tasks, timeout=settings.shutdown_grace_seconds / 2)
            await lifecycle.cancel(*tasks)
            await outbox.flush(FLUSH_SECONDS)


def _supervise_loops(
    scheduler: Scheduler, forgetting: Forgetting, settings: SchedulerSettings, lifecycle: Lifecycle
) -> list[asyncio.Task[None]]:
    async def fire() -> None:
        await fire_forever(scheduler.firing, poll=settings.poll_seconds, stopping=lifecycle.stopping)

    return [
        lifecycle.supervise(name, repeat(what, every=every, stopping=lifecycle.stopping, name=name))
        for name, what, every in (
            ("fire", fire, settings.poll_seconds),
            ("scan", scheduler.following.scan, settings.scan_seconds),
            ("retention", forgetting.once, settings.retention_interval_seconds),
        )
    ]
