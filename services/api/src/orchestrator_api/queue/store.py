"""Lanes and the jobs in them; they belong to the runner and are only read."""

from collections.abc import Collection
from uuid import UUID

from orchestrator_api.queue.rows import (
    JobRef,
    Slots,
    Standing,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class QueueStore(Store):
    """Only reads."""

    queries = Queries.load(__package__, "store.sql")

    async def references(self, *, project: str, ids: Collection[UUID]) -> list[JobRef]:
        """These jobs, as they are mentioned beside others."""
        return await self._many(JobRef, "references", project=project, ids=list(ids))

    async def standing(self, *, project: str, job_id: UUID) -> Standing | None:
        """Where a job stands in line."""
        return await self._one(Standing, "standing", project=project, job_id=job_id)

    async def slots(self) -> Slots:
        """The slots of all connected runners."""
        found = await self._one(Slots, "slots")
        assert found is not None
        return found
