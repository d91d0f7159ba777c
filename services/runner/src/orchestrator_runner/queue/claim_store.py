"""Jobs owned by replicas: claiming them and finishing them, fenced by the epoch."""

from collections.abc import Sequence
from uuid import UUID

from orchestrator_runner.queue.rows import FinishedJob, OwnedJob
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_shared.database.pool import encode_json
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.statuses import JobStatus


class ClaimStore(Store):
    """The claims of all replicas; call `finish` inside a transaction."""

    queries = Queries.load(__package__, "claim_store.sql")

    async def claim(
        self, *, replica: UUID, slots: int, ahead: int, limited: Sequence[str]
    ) -> list[ClaimedJob]:
        """Claim up to `slots` ready jobs, and up to `ahead` more that may wait for a slot.

        Claims nothing if the replica's lease has expired. Only one replica at a time claims for the projects
        in `limited`, so none of them exceeds its limit.
        """
        if limited:
            await self._run("lock_projects", projects=list(limited))
        return await self._many(
            ClaimedJob, "claim", replica=replica, slots=slots, ahead=ahead, limited=list(limited)
        )

    async def limited_projects(self) -> list[str]:
        """Projects that have a parallel limit and ready jobs; creates their lock rows where missing."""
        projects = await self._column(str, "limited_projects")
        if projects:
            await self._run("ensure_project_locks", projects=projects)
        return projects

    async def ready_left(self) -> int:
        """How many jobs (at most 100) are ready and unclaimed."""
        return await self._value(int, "ready_left") or 0

    async def finish(self, *, results: Sequence[Result]) -> list[FinishedJob]:
        """Write and return the results whose epoch still matches; the others come from a former owner."""
        ordered = sorted(results, key=lambda result: result.job_id)
        rows = await self._many(
            FinishedJob,
            "finish_jobs",
            ids=[result.job_id for result in ordered],
            epochs=[result.epoch for result in ordered],
            statuses=[result.ending.status for result in ordered],
            messages=[result.ending.message for result in ordered],
            error_kinds=[result.ending.error_kind for result in ordered],
            output_tables=[encode_json(result.output_tables) for result in ordered],
            delays=[result.ending.delay_seconds for result in ordered],
            free=[result.ending.free for result in ordered],
        )
        succeeded = {row.id for row in rows if row.status is JobStatus.SUCCESS}
        states = [
            (result.job_id, dict(result.state))
            for result in ordered
            if result.state is not None and result.job_id in succeeded
        ]
        if states:
            await self._run(
                "save_states", ids=[job for job, _ in states], states=[state for _, state in states]
            )
        return rows

    async def stops_wanted(self, *, replica: UUID) -> set[UUID]:
        """Jobs of this replica that someone asked to stop."""
        return set(await self._column(UUID, "stops_wanted", replica=replica))

    async def owned(self, *, replica: UUID) -> list[OwnedJob]:
        """Every job that this replica owns according to the database."""
        return await self._many(OwnedJob, "owned", replica=replica)
