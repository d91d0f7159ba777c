"""The trigger-watcher put together: the only place where its adapters are made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.contracts.routing import TRIGGER_WATCHER_RUNS, TRIGGER_WATCHER_UPDATES
from orchestrator_shared.database.forgetting import Forgetting
from orchestrator_shared.database.pool import acquire, database, writable
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.repeating import repeat
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.handlers.hearing import Hearing
from orchestrator_trigger_watcher.handlers.messages import MessageHandlers
from orchestrator_trigger_watcher.handlers.scanning import Scanning
from orchestrator_trigger_watcher.handlers.settling import Settling
from orchestrator_trigger_watcher.ports import Connections, Transactions
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings

NAME = "trigger-watcher"
FLUSH_SECONDS = 5.0
FORGETFUL = (
    "forget_dispositions",
    "forget_updates",
    "forget_fires",
    "forget_edits",
    "forget_saved_versions",
)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Everything one replica does."""

    hearing: Hearing
    settling: Settling
    scanning: Scanning
    messages: MessageHandlers


def load_queries() -> Queries:
    return Queries.load("orchestrator_trigger_watcher.adapters", "updates.sql", "triggers.sql", "catalog.sql")


def build(transactions: Transactions, connections: Connections, queries: Queries) -> Watcher:
    """The handlers on their stores."""
    catalog, updates, triggers = CatalogStore(queries), UpdateStore(queries), TriggerStore(queries)
    settling = Settling(transactions=transactions, updates=updates, triggers=triggers)
    hearing = Hearing(
        transactions=transactions,
        connections=connections,
        catalog=catalog,
        updates=updates,
        triggers=triggers,
    )
    scanning = Scanning(connections=connections, catalog=catalog, settling=settling)
    messages = MessageHandlers(hearing=hearing, settling=settling)
    return Watcher(hearing, settling, scanning, messages)


def retention(connections: Connections, queries: Queries, *, days: float, batch: int) -> Forgetting:
    """Updates, what became of them, fires and edits that are past their time."""
    older_than = timedelta(days=days)
    return Forgetting(
        connections,
        queries,
        dict.fromkeys(FORGETFUL, (older_than,)),
        batch=batch,
        count=lambda name, rows: metrics.FORGOTTEN.labels(name).inc(rows),
    )


@asynccontextmanager
async def start(settings: TriggerWatcherSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work, and close in order."""
    async with (
        database(settings, application_name=f"orchestrator-{NAME}") as pool,
        Broker.open(settings.amqp_url, name=NAME, start_timeout=settings.startup_timeout_seconds) as broker,
    ):
        outbox = Outbox(schema="triggers", source=f"/{NAME}", pool=pool, publisher=broker.publisher)
        connections, queries = partial(acquire, pool), load_queries()
        watcher = build(outbox, connections, queries)
        forgetting = retention(
            connections, queries, days=settings.retention_days, batch=settings.retention_batch_size
        )
        updates = Consumer.batches(
            broker,
            TRIGGER_WATCHER_UPDATES,
            watcher.messages.tables_updated,
            handles=(TableUpdated,),
            size=settings.updates_batch_size,
        )
        runs = Consumer(broker, TRIGGER_WATCHER_RUNS, watcher.messages.by_message(), concurrency=4)
        lifecycle.ready_when("database", partial(writable, pool))
        lifecycle.ready_when("broker", broker.ready)
        lifecycle.ready_when("consumers", lambda: updates.consuming and runs.consuming)
        async with lifecycle.supervised("outbox", outbox.run()):
            tasks = [
                lifecycle.supervise("updates", updates.run(lifecycle.stopping)),
                lifecycle.supervise("runs", runs.run(lifecycle.stopping)),
                *_supervise_scans(watcher.scanning, forgetting, settings, lifecycle),
            ]
            yield
            await asyncio.wait(tasks, timeout=settings.shutdown_grace_seconds / 2)
            await lifecycle.cancel(*tasks)
            await outbox.flush(FLUSH_SECONDS)


def _supervise_scans(
    scanning: Scanning, forgetting: Forgetting, settings: TriggerWatcherSettings, lifecycle: Lifecycle
) -> list[asyncio.Task[None]]:
    return [
        lifecycle.supervise(name, repeat(what, every=every, stopping=lifecycle.stopping, name=name))
        for name, what, every in (
            ("scan", scanning.scan, settings.scan_seconds),
            ("due", scanning.fire_due, settings.due_poll_seconds),
            ("retention", forgetting.once, settings.retention_interval_seconds),
        )
    ]
