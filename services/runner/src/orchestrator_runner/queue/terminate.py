"""Handles `job.terminate-requested`: stops a job and everything below it."""

from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.lanes import Lanes
from orchestrator_runner.queue.ports import ReconcilesRuns
from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.contracts.events import RunFinished, RunnersWake
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.outbox import Outbox

ROUNDS = 5


class Terminate:
    """Locks the lanes of the job and all its descendants, then stops whichever of them have not finished."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, lanes: Lanes, engine: ReconcilesRuns) -> None:
        self._pool = pool
        self._outbox = outbox
        self._lanes = lanes
        self._engine = engine
        self._queries = Queries.load("orchestrator_runner.queue", "termination.sql", "waiting_triggers.sql")

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
                lanes = {row["lane_id"] for row in await self._family(connection, request)}
        async with self._outbox.work() as work:
            connection = work.connection
            await self._lanes.lock(connection, lanes)
            # Nothing to stop yet: this lock keeps the request of the job from being accepted beside us.
            if not lanes:
                await connection.execute(self._queries["lock_requests"], [request.job_id])
            family = await self._family(connection, request)
            await connection.execute(self._queries["lock_waiting"], [row["id"] for row in family])
            await connection.execute(self._queries["lock_jobs"], [row["id"] for row in family])
            # Read again under the locks: meanwhile a run may have created children, or a job may have ended.
            family = await self._family(connection, request)
            # Lanes come before jobs in the lock order: lock the missing ones in a new transaction.
            if missing := {row["lane_id"] for row in family} - lanes:
                return lanes | missing
            if request.unstarted_only and any(row["attempt"] for row in family):
                return set()
            if not family:
                await self._leave_tombstone(connection, request)
                return set()
            rows = await connection.fetch(
                self._queries["stop"], [row["id"] for row in family], request.requested_by
            )
            promoted = await self._lanes.promote(connection, lanes)
            publish_changes(work, [*rows, *promoted])
            for row in rows:
                if row["kind"] == "run" and row["finished_at"] is not None:
                    publish_run(work, RunFinished, row)
            work.publish(RunnersWake(ready=len(promoted)))
            work.after_commit(lambda: self._reconcile(rows))
        metrics.TERMINATIONS.inc(len(rows))
        return set()

    async def _family(
        self, connection: asyncpg.Connection, request: TerminateRequested
    ) -> list[asyncpg.Record]:
        return await connection.fetch(self._queries["family"], request.job_id, request.project)

    async def _leave_tombstone(self, connection: asyncpg.Connection, request: TerminateRequested) -> None:
        """Leave a tombstone if the job's request is still on its way; if the job has ended, do nothing."""
        if not await connection.fetchval(self._queries["job_exists"], request.job_id):
            await connection.execute(self._queries["leave_tombstone"], request.job_id, request.requested_by)

    def _reconcile(self, rows: list[asyncpg.Record]) -> None:
        ended: list[UUID] = [row["id"] for row in rows if row["finished_at"] and row["parent_id"]]
        runs: list[UUID] = [row["id"] for row in rows if row["kind"] == "run" and not row["finished_at"]]
        self._engine.reconcile_runs(ended, runs)
        self._engine.look_around()
