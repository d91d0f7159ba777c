"""Handles `job.terminate-requested`: stops a job and everything below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.lanes import LaneStore
from orchestrator_runner.queue.ports import ReconcilesRuns
from orchestrator_runner.queue.rows import JobRow
from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.contracts.events import RunFinished, RunnersWake
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.outbox import Outbox

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A job that has not finished."""

    id: UUID
    lane_id: int
    attempt: int


class TerminationStore(Store):
    """A job with everything below it; call what writes inside a transaction."""

    queries = Queries.load(__package__, "termination.sql", "waiting_triggers.sql")

    async def unfinished(self, *, job: UUID, project: str) -> list[Unfinished]:
        """The job and its descendants, without those that have finished."""
        return await self._many(Unfinished, "unfinished_below", job=job, project=project)

    async def lock_request(self, *, job: UUID) -> None:
        """Keep the job's request from being accepted until the transaction ends."""
        await self._run("lock_requests", ids=[job])

    async def lock(self, *, jobs: Sequence[UUID]) -> None:
        """Lock the triggers that wait for these jobs, then the jobs, whose lanes the caller holds."""
        await self._run("lock_waiting", runs=jobs)
        await self._run("lock_jobs", ids=jobs)

    async def stop(self, *, jobs: Sequence[UUID], requested_by: str | None) -> list[JobRow]:
        """Stop these jobs; returns them as they are now."""
        return await self._many(JobRow, "stop", ids=jobs, requested_by=requested_by)

    async def leave_tombstone(self, *, job: UUID, requested_by: str | None) -> None:
        """Leave a tombstone if the job's request is still on its way; if the job has ended, do nothing."""
        if not await self._value(bool, "job_exists", job=job):
            await self._run("leave_tombstone", job=job, requested_by=requested_by)


class Terminate:
    """Locks the lanes of the job and all its descendants, then stops whichever of them have not finished."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, engine: ReconcilesRuns) -> None:
        self._pool = pool
        self._outbox = outbox
        self._engine = engine

    async def __call__(self, request: TerminateRequested) -> None:
        lanes: set[int] = set()
        for _ in range(ROUNDS):
            lanes = await self._try(request, lanes)
            if not lanes:
                return
        raise Unavailable("the run grew faster than its lanes could be locked")

    async def _try(self, request: TerminateRequested, lanes: set[int]) -> set[int]:
        """Stop them if these lanes cover them all; otherwise return the lanes to lock next time."""
        if not lanes:
            # Found without locks: the descendants are read again below, under the locks.
            async with acquire(self._pool) as connection:
                lanes = {job.lane_id for job in await _unfinished(TerminationStore(connection), request)}
        async with self._outbox.work() as work:
            store, lane_store = TerminationStore(work.connection), LaneStore(work.connection)
            await lane_store.lock(lanes=lanes)
            # Nothing to stop yet: this lock keeps the request of the job from being accepted beside us.
            if not lanes:
                await store.lock_request(job=request.job_id)
            await store.lock(jobs=[job.id for job in await _unfinished(store, request)])
            # Read again under the locks: meanwhile a run may have created children, or a job may have ended.
            jobs = await _unfinished(store, request)
            # Lanes come before jobs in the lock order: lock the missing ones in a new transaction.
            if missing := {job.lane_id for job in jobs} - lanes:
                return lanes | missing
            if request.unstarted_only and any(job.attempt for job in jobs):
                return set()
            if not jobs:
                await store.leave_tombstone(job=request.job_id, requested_by=request.requested_by)
                return set()
            rows = await store.stop(jobs=[job.id for job in jobs], requested_by=request.requested_by)
            promoted = await lane_store.promote(lanes=lanes)
            publish_changes(work, [*rows, *promoted])
            for row in rows:
                if row.kind == "run" and row.finished_at is not None:
                    publish_run(work, RunFinished, row)
            work.publish(RunnersWake(ready=len(promoted)))
            work.after_commit(lambda: self._reconcile(rows))
        metrics.TERMINATIONS.inc(len(rows))
        return set()

    def _reconcile(self, rows: Sequence[JobRow]) -> None:
        ended = [row.id for row in rows if row.finished_at and row.parent_id]
        runs = [row.id for row in rows if row.kind == "run" and not row.finished_at]
        self._engine.reconcile_runs(ended, runs)
        self._engine.look_around()


async def _unfinished(store: TerminationStore, request: TerminateRequested) -> list[Unfinished]:
    return await store.unfinished(job=request.job_id, project=request.project)
