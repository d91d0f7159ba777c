"""Wires the trigger-watcher: the only place where its adapters are made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.contracts.routing import TRIGGER_WATCHER_RUNS, TRIGGER_WATCHER_UPDATES
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.database.turns import Measuring
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import UnitsOfWork
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import open_skeleton
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters import measuring
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
    "forget_states",
)
FORGETFUL_OF_TABLES = ("forget_tables", "mark_tables")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Everything one replica does."""

    ingestion: Ingestion
    reconciliation: Reconciliation
    scanning: Scanning
    messages: MessageHandlers


def build(outbox: UnitsOfWork, connections: Connections) -> Watcher:
    """The handlers joined."""
    reconciliation = Reconciliation(outbox=outbox)
    ingestion = Ingestion(outbox=outbox, connections=connections)
    scanning = Scanning(connections=connections, reconciliation=reconciliation)
    messages = MessageHandlers(ingestion=ingestion, reconciliation=reconciliation)
    return Watcher(ingestion, reconciliation, scanning, messages)


def retention(connections: Connections, *, days: float, table_days: float, batch: int) -> Retention:
    """Deletes updates, dispositions, fires, edits and what is left of deleted triggers, and tables later."""
    older_than = {"older_than": timedelta(days=days)}
    tables_older_than = {"tables_older_than": timedelta(days=table_days)}
    return Retention(
        connections,
        Queries.load("orchestrator_trigger_watcher.adapters", "retention.sql"),
        dict.fromkeys(FORGETFUL, older_than) | dict.fromkeys(FORGETFUL_OF_TABLES, tables_older_than),
        batch=batch,
        count=lambda name, rows: metrics.FORGOTTEN.labels(name).inc(rows),
    )


def measuring_of(connections: Connections, *, every: float) -> Measuring:
    """What measures the triggers while it is this replica's turn."""
    return Measuring(
        connections, schema="triggers", every=every, measure=measuring.measure, forget=measuring.forget
    )


@asynccontextmanager
async def start(settings: TriggerWatcherSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work, and close in order."""
    async with open_skeleton(settings, lifecycle) as skeleton:
        outbox = skeleton.outbox("triggers")
        watcher = build(outbox, skeleton.connections)
        old = retention(
            skeleton.connections,
            days=settings.retention_days,
            table_days=settings.table_retention_days,
            batch=settings.retention_batch_size,
        )
        updates = Consumer.batches(
            skeleton.broker,
            TRIGGER_WATCHER_UPDATES,
            watcher.messages.tables_updated,
            handles=(TableUpdated,),
            size=settings.updates_batch_size,
        )
        runs = Consumer(skeleton.broker, TRIGGER_WATCHER_RUNS, watcher.messages.by_message(), concurrency=4)
        every = settings.measure_seconds
        skeleton.consume("updates", updates)
        skeleton.consume("runs", runs)
        skeleton.repeat("scan", watcher.scanning.scan, every=settings.scan_seconds)
        skeleton.repeat("due", watcher.scanning.fire_due, every=settings.due_poll_seconds)
        skeleton.repeat("retention", old.once, every=settings.retention_interval_seconds)
        skeleton.measure(measuring_of(skeleton.connections, every=every), every=every)
        yield
