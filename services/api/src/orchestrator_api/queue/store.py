"""Lanes and the jobs in them; they belong to the runner and are only read."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from orchestrator_api.queue.rows import (
    BusyLane,
    Held,
    JobRef,
    LineMember,
    Slots,
    Standing,
    StoppedJob,
    TimelineAttempt,
    TimelineJob,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class QueueStore(Store):
    """Only reads."""

    queries = Queries.load(__package__, "store.sql", "timeline.sql", "lanes.sql")

    async def references(self, *, project: str, ids: Collection[UUID]) -> list[JobRef]:
        """These jobs, as they are mentioned beside others."""
        return await self._many(JobRef, "references", project=project, ids=list(ids))

    async def standings(self, *, project: str, ids: Collection[UUID]) -> list[Standing]:
        """Where these jobs stand in line."""
        return await self._many(Standing, "standings", project=project, ids=list(ids))

    async def slots(self) -> Slots:
        """The slots of all connected runners."""
        found = await self._one(Slots, "slots")
        assert found is not None
        return found

    async def timeline_jobs(self, *, project: str, job_id: UUID) -> list[TimelineJob]:
        """The job, the jobs of its tasks, and the longest path below it; oldest first."""
        return await self._many(TimelineJob, "timeline_jobs", project=project, job_id=job_id)

    async def timeline_attempts(self, *, project: str, ids: Collection[UUID]) -> list[TimelineAttempt]:
        """The attempts of these jobs, oldest first."""
        return await self._many(TimelineAttempt, "timeline_attempts", project=project, ids=list(ids))

    async def holders(
        self,
        *,
        project: str,
        ids: Sequence[UUID],
        begins: Sequence[datetime],
        ends: Sequence[datetime],
        near: int,
    ) -> list[Held]:
        """Who held the lane while each of these jobs waited, of so many before and after it in the lane."""
        return await self._many(
            Held, "holders", project=project, ids=ids, begins=begins, ends=ends, near=near
        )

    async def busy_lanes(
        self, *, project: str, component: str | None, configuration: str | None, limit: int
    ) -> list[BusyLane]:
        """The next lanes after this one that have a holder or jobs in line, by name."""
        return await self._many(
            BusyLane,
            "busy_lanes",
            project=project,
            component=component,
            configuration=configuration,
            limit=limit,
        )

    async def lane(self, *, project: str, component: str, configuration: str) -> BusyLane | None:
        """The lane of a configuration; None if it never had a job."""
        return await self._one(
            BusyLane, "lane", project=project, component=component, configuration=configuration
        )

    async def lanes(self, *, project: str, lanes: Collection[int]) -> list[BusyLane]:
        """These lanes."""
        return await self._many(BusyLane, "lanes", project=project, lanes=list(lanes))

    async def waiting_in_lines(self, *, project: str, lanes: Collection[int], most: int) -> list[LineMember]:
        """The first jobs in line of each of these lanes."""
        return await self._many(LineMember, "waiting_in_lines", project=project, lanes=list(lanes), most=most)

    async def stopped_with(self, *, project: str, job_id: UUID) -> list[StoppedJob]:
        """The job and everything below it that has not ended, from the top down."""
        return await self._many(StoppedJob, "stopped_with", project=project, job_id=job_id)
