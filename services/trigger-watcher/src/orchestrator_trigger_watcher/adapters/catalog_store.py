"""What people saved in the catalog, and which of it has not been applied yet."""

from collections.abc import Iterable

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_trigger_watcher.adapters.rows import OrchestrationRow

Orchestration = tuple[str, str]


class CatalogStore(Store):
    """Reads only."""

    queries = Queries.load(__package__, "catalog_store.sql")

    async def unknown_projects(self, *, projects: Iterable[str]) -> set[str]:
        """Those of these projects that do not exist."""
        return set(await self._column(str, "unknown_projects", projects=sorted(projects)))

    async def stale(self) -> list[TriggerId]:
        """Triggers that were saved, switched, reset or deleted since the watcher looked."""
        return await self._column(TriggerId, "stale_triggers")

    async def unreconciled(self) -> list[Orchestration]:
        """Orchestrations whose runs started or ended without the watcher having noticed."""
        return await self._orchestrations("unreconciled_orchestrations")

    async def due(self) -> list[Orchestration]:
        """Orchestrations with a deferred fire whose cool-down is over."""
        return await self._orchestrations("due_orchestrations")

    async def _orchestrations(self, query: str) -> list[Orchestration]:
        return [(row.project, row.orchestration) for row in await self._many(OrchestrationRow, query)]
