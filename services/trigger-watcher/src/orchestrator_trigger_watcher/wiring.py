"""The trigger-watcher put together: the only place where its adapters are made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from orchestrator_shared.contracts.routing import TRIGGER_WATCHER_RUNS, TRIGGER_WATCHER_UPDATES
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import UnitsOfWork
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import open_skeleton
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.handlers.ingestion import Ingestion
from orchestrator_trigger_watcher.handlers.messages import MessageHandlers
from orchestrator_trigger_watcher.handlers.reconciliation import Reconciliation
from orchestrator_trigger_watcher.handlers.scanning import Scanning
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings

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

    ingestion: Ingestion
    reconciliation: Reconciliation
    scanning: Scanning
    messages: MessageHandlers


def load_queries() -> Queries:
    return Queries.load("orchestrator_trigger_watcher.adapters", "updates.sql", "triggers.sql", "catalog.sql")


def build(outbox: UnitsOfWork, connections: Connections, queries: Queries) -> Watcher:
    """The handlers on their stores."""
    catalog, updates, triggers = CatalogStore(queries), UpdateStore(queries), TriggerStore(queries)
    reconciliation = Reconciliation(outbox=outbox, updates=updates, triggers=triggers)
    ingestion = Ingestion(
        outbox=outbox,
        connections=connections,
        catalog=catalog,
        updates=updates,
        triggers=triggers,
    )
    scanning = Scanning(connections=connections, catalog=catalog, reconciliation=reconciliation)
    messages = MessageHandlers(ingestion=ingestion, reconciliation=reconciliation)
    return Watcher(ingestion, reconciliation, scanning, messages)


def retention(connections: Connections, queries: Queries, *, days: float, batch: int) -> Retention:
    """Updates, what became of them, fires and edits that are past their time."""
    older_than = timedelta(days=days)
    return Retention(
        connections,
        queries,
        dict.fromkeys(FORGETFUL, (older_than,)),
        batch=batch,
        count=lambda name, rows: metrics.FORGOTTEN.labels(name).inc(rows),
    )


@asynccontextmanager
async def start(settings: TriggerWatcherSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work, and close in order."""
    async with open_skeleton(settings, lifecycle) as skeleton:
        outbox, queries = skeleton.outbox("triggers"), load_queries()
        watcher = build(outbox, skeleton.connections, queries)
        old = retention(
            skeleton.connections, queries, days=settings.retention_days, batch=settings.retention_batch_size
        )
        updates = Consumer.batches(
            skeleton.broker,
            TRIGGER_WATCHER_UPDATES,
            watcher.messages.tables_updated,
            size=settings.updates_batch_size,
        )
        runs = Consumer(skeleton.broker, TRIGGER_WATCHER_RUNS, watcher.messages.by_message(), concurrency=4)
        skeleton.consume("updates", updates)
        skeleton.consume("runs", runs)
        skeleton.repeat("scan", watcher.scanning.scan, every=settings.scan_seconds)
        skeleton.repeat("due", watcher.scanning.fire_due, every=settings.due_poll_seconds)
        skeleton.repeat("retention", old.once, every=settings.retention_interval_seconds)
        yield
