"""Slow scans for what lost hints would have reported, and for what has become due."""

import time

from orchestrator_shared.database.pool import Connections
from orchestrator_shared.runtime.periodic import isolate
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.handlers.reconciliation import Reconciliation


class Scanning:
    """The safety net under the hints. Every replica scans; doing it twice is harmless."""

    def __init__(
        self,
        *,
        connections: Connections,
        reconciliation: Reconciliation,
    ) -> None:
        self._connections = connections
        self._reconciliation = reconciliation

    async def scan(self) -> None:
        """Triggers whose change was missed, and runs whose start or end was missed."""
        started = time.perf_counter()
        async with self._connections() as connection:
            stale = await CatalogStore(connection).stale()
        for trigger_id in stale:
            await isolate(self._reconciliation.sync(trigger_id), kind="trigger", item=str(trigger_id))
        async with self._connections() as connection:
            unreconciled = await CatalogStore(connection).unreconciled()
        for project, orchestration in unreconciled:
            await self._reconcile(project, orchestration)
        metrics.SCAN_SECONDS.observe(time.perf_counter() - started)

    async def fire_due(self) -> None:
        """Deferred fires whose cool-down is over."""
        async with self._connections() as connection:
            due = await CatalogStore(connection).due()
        for project, orchestration in due:
            await self._reconcile(project, orchestration)

    async def _reconcile(self, project: str, orchestration: str) -> None:
        reconciling = self._reconciliation.reconcile_runs(project, orchestration)
        await isolate(reconciling, kind="orchestration", item=f"{project}/{orchestration}")
