"""Looking, slowly, for what lost hints would have told, and for what has grown old."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from orchestrator_shared.database.pool import is_our_fault
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.handlers.settling import Settling
from orchestrator_trigger_watcher.handlers.syncing import Syncing
from orchestrator_trigger_watcher.ports import Connections

log = structlog.get_logger(__name__)

FORGETFUL = ("forget_dispositions", "forget_updates", "forget_fires", "forget_edits")


class Scanning:
    """The net under the hints; every replica has one, and doing it twice does no harm."""

    def __init__(
        self,
        *,
        connections: Connections,
        catalog: CatalogStore,
        updates: UpdateStore,
        settling: Settling,
        syncing: Syncing,
    ) -> None:
        self._connections = connections
        self._catalog = catalog
        self._updates = updates
        self._settling = settling
        self._syncing = syncing

    async def scan(self) -> None:
        """Triggers whose change was not heard of, and runs whose start or end was not."""
        started = time.perf_counter()
        async with self._connections() as connection:
            stale = await self._catalog.stale(connection)
        for trigger_id in stale:
            await self._one("trigger", str(trigger_id), self._syncing.sync(trigger_id))
        async with self._connections() as connection:
            unsettled = await self._catalog.unsettled(connection)
        for project, orchestration in unsettled:
            await self._settle(project, orchestration)
        metrics.SCAN_SECONDS.observe(time.perf_counter() - started)

    async def fire_due(self) -> None:
        """Deferred fires whose cool-down is over."""
        async with self._connections() as connection:
            due = await self._catalog.due(connection)
        for project, orchestration in due:
            await self._settle(project, orchestration)

    async def forget(self, older_than: timedelta, batch: int) -> int:
        """Delete what is old, batch by batch; returns how many rows."""
        forgotten = 0
        for query in FORGETFUL:
            deleted = batch
            while deleted >= batch:
                async with self._connections() as connection:
                    deleted = await self._updates.forget(connection, query, older_than, batch)
                metrics.FORGOTTEN.labels(query).inc(deleted)
                forgotten += deleted
        return forgotten

    async def _settle(self, project: str, orchestration: str) -> None:
        await self._one(
            "orchestration", f"{project}/{orchestration}", self._settling.settle(project, orchestration)
        )

    async def _one(self, kind: str, name: str, work: Awaitable[None]) -> None:
        """One that cannot be handled must not keep the others from being looked at."""
        try:
            await work
        except Exception as error:
            if is_our_fault(error):
                raise
            log.exception("scan.item_failed", kind=kind, item=name)


async def repeat(
    what: Callable[[], Awaitable[object]], *, every: float, stopping: asyncio.Event, name: str
) -> None:
    """Do it now and then again and again; a server of ours that does not answer is waited for."""
    while not stopping.is_set():
        try:
            await what()
        except Exception as error:
            if not is_our_fault(error):
                raise
            log.warning("scan.unavailable", scan=name, reason=str(error))
        try:
            async with asyncio.timeout(every):
                await stopping.wait()
        except TimeoutError:
            continue
