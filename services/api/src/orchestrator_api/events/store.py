"""Reads what changed, for all open streams at once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from orchestrator_api.events.rows import Decided, Heard, JobChange, LogNews, Revision
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class EventStore(Store):
    """Only reads."""

    queries = Queries.load(__package__, "store.sql")

    async def instant(self) -> datetime:
        """The database's clock."""
        now = await self._value(datetime, "instant")
        assert now is not None
        return now

    async def changed_since(
        self, *, projects: Collection[str], since: datetime, limit: int
    ) -> list[Revision]:
        """Jobs of these projects that changed after this instant."""
        return await self._many(Revision, "changed_since", projects=list(projects), since=since, limit=limit)

    async def heard_since(self, *, projects: Collection[str], since: datetime, limit: int) -> list[Heard]:
        """Tables and triggers of these projects with updates heard after this instant."""
        return await self._many(Heard, "heard_since", projects=list(projects), since=since, limit=limit)

    async def job_changes(self, *, projects: Collection[str], ids: Collection[UUID]) -> list[JobChange]:
        """These jobs as they are now, in the order of their changes; a run after the jobs below it."""
        return await self._many(JobChange, "job_changes", projects=list(projects), ids=list(ids))

    async def runs_below(self, *, project: str, job_id: UUID) -> list[UUID]:
        """A run and the runs nested below it."""
        return await self._column(UUID, "runs_below", project=project, job_id=job_id)

    async def decided(self, *, ids: Collection[UUID]) -> list[Decided]:
        """Which of these requests will never become jobs."""
        return await self._many(Decided, "decided", ids=list(ids))

    async def log_news(
        self,
        *,
        job_ids: Sequence[UUID],
        attempts: Sequence[int],
        seqs: Sequence[int],
        limit: int,
        most_bytes: int,
    ) -> list[LogNews]:
        """New text after each of these places."""
        return await self._many(
            LogNews,
            "log_news",
            job_ids=job_ids,
            attempts=attempts,
            seqs=seqs,
            limit=limit,
            most_bytes=most_bytes,
        )
