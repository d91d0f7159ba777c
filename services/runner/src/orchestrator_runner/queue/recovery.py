"""Takes over the jobs of replicas whose lease has expired."""

import asyncio
import time
from collections.abc import Callable, Collection
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.executors.port import AttemptId, Executor
from orchestrator_runner.queue.loop import Engine
from orchestrator_runner.runs.jobs import ClaimedJob, Result, attempts_of
from orchestrator_runner.runs.lifecycle import after_loss
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog

log = structlog.get_logger(__name__)


class Recovery:
    """Every replica looks for lost ones; if two find the same jobs, the epoch decides."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        engine: Engine,
        executors: Collection[Executor],
        *,
        replica_id: UUID,
        slots: int,
        every_seconds: float,
        may_judge: Callable[[], bool],
    ) -> None:
        self._executors = executors
        self._replica_id = replica_id
        self._slots = slots
        self._pool = pool
        self._engine = engine
        self._may_judge = may_judge
        self._every_seconds = every_seconds
        self._queries = Queries.load("orchestrator_runner.queue", "recovery.sql")
        self._strays: set[UUID] = set()
        """Our own jobs whose attempts can be adopted and that nothing here works on."""
        self._has_reconciled = False

    async def run(self) -> None:
        """Look for lost replicas until cancelled."""
        outage = OutageLog("recovery")
        while True:
            await asyncio.sleep(self._every_seconds)
            if not self._may_judge():
                continue
            try:
                await self.look()
            except Unavailable as error:
                outage.waiting(str(error))
            else:
                outage.end()

    async def look(self) -> None:
        """Declare replicas lost whose lease expired; decide what happens to the jobs of all lost ones."""
        started = time.perf_counter()
        async with acquire(self._pool) as connection:
            lost = await connection.fetch(self._queries["declare_lost"], self._replica_id)
            rows = await connection.fetch(self._queries["jobs_of_lost_replicas"])
            await self._adopt(connection)
        for row in lost:
            metrics.LOST_REPLICAS.inc()
            log.warning("replica.lost", replica=str(row["id"]), name=row["name"])
        if rows:
            # Without locks: the next step writes these results, fenced by the epochs read here.
            self._engine.report([_taken_over(row) for row in rows])
            seconds = time.perf_counter() - started
            log.warning("recovery.jobs_taken_over", jobs=len(rows), seconds=round(seconds, 3))
        if lost or not self._has_reconciled:
            await self._reconcile()

    async def _reconcile(self) -> None:
        """Clean up what dead replicas may have left behind, before we started or just now."""
        for executor in self._executors:
            await executor.reconcile(self._underway)
        self._has_reconciled = True

    async def _underway(self, attempts: Collection[AttemptId]) -> set[AttemptId]:
        jobs, numbers = zip(*attempts, strict=True) if attempts else ((), ())
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(self._queries["attempts_underway"], jobs, numbers)
        return {(row["id"], row["attempt"]) for row in rows}

    async def _adopt(self, connection: asyncpg.Connection) -> None:
        """Continue attempts that outlived their runner."""
        owned = await connection.fetch(self._queries["owned_elsewhere"], self._replica_id)
        strays = {row["id"] for row in owned}.difference(self._engine.jobs)
        # Only if seen twice in a row: the result of an attempt that just ended may not be written yet.
        known, self._strays = self._strays, strays
        values = (self._replica_id, self._slots, list(strays & known))
        if rows := await connection.fetch(self._queries["adopt"], *values):
            log.warning("recovery.jobs_adopted", jobs=len(rows))
            self._engine.adopt([ClaimedJob.from_adopted(row) for row in rows])


def _taken_over(row: asyncpg.Record) -> Result:
    ending = after_loss(
        attempts_of(row),
        safe_to_rerun=row["after_crash"] == "rerun",
        reason=f"runner lost: {row['replica']}",
    )
    return Result(row["id"], row["epoch"], row["lane_id"], row["parent_id"], row["phase"], ending)
