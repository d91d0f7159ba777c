"""Looking, slowly, for what lost hints would have told, and for what has become due."""

import time

from orchestrator_shared.runtime.periodic import isolate
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.handlers.reconciliation import Settling
from orchestrator_trigger_watcher.ports import Connections


class Scanning:
    """The net under the hints; every replica has one, and doing it twice does no harm."""

    def __init__(
        self,
        *,
        connections: Connections,
        catalog: CatalogStore,
        settling: Settling,
    ) -> None:
        self._connections = connections
        self._catalog = catalog
        self._settling = settling

    async def scan(self) -> None:
        """Triggers whose change was not heard of, and runs whose start or end was not."""
        started = time.perf_counter()
        async with self._connections() as connection:
            stale = await self._catalog.stale(connection)
        for trigger_id in stale:
            await isolate(self._settling.sync(trigger_id), kind="trigger", item=str(trigger_id))
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

    async def _settle(self, project: str, orchestration: str) -> None:
        settling = self._settling.settle(project, orchestration)
        await isolate(settling, kind="orchestration", item=f"{project}/{orchestration}")
