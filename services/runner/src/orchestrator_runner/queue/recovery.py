"""Takes over the jobs of replicas whose lease has expired."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.executors.port import AttemptId, Executor, Underway
from orchestrator_runner.queue.loop import Engine
from orchestrator_runner.runs.jobs import Attempted, ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import after_loss
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LostReplica:
    """A replica that has just been declared lost."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class LostJob(Attempted):
    """A job of a lost replica."""

    id: UUID
    lane_id: int
    run_id: UUID | None
    phase: int | None
    epoch: int
    replica: str
    safe_to_rerun: bool


@dataclass(frozen=True, slots=True)
class _Underway:
    id: UUID
    attempt: int


class RecoveryStore(Store):
    """Lost replicas and their jobs."""

    queries = Queries.load(__package__, "recovery.sql")

    async def declare_lost(self, *, replica: UUID) -> list[LostReplica]:
        """Declare the replicas lost whose lease ran out; does nothing unless the caller holds a lease."""
        return await self._many(LostReplica, "declare_lost", replica=replica)

    async def jobs_of_lost_replicas(self) -> list[LostJob]:
        """The jobs whose attempts ended with their replicas."""
        return await self._many(LostJob, "jobs_of_lost_replicas")

    async def owned_elsewhere(self, *, replica: UUID) -> set[UUID]:
        """This replica's jobs whose attempts run elsewhere."""
        return set(await self._column(UUID, "owned_elsewhere", replica=replica))

    async def adopt(self, *, replica: UUID, most: int, strays: Collection[UUID]) -> list[ClaimedJob]:
        """Take over attempts that outlived their runner, and our own that nothing here works on."""
        return await self._many(ClaimedJob, "adopt", replica=replica, most=most, strays=list(strays))

    async def underway(self, *, attempts: Collection[AttemptId]) -> set[AttemptId]:
        """Those of these attempts that have not ended."""
        ids = [job for job, _ in attempts]
        numbers = [number for _, number in attempts]
        rows = await self._many(_Underway, "attempts_underway", ids=ids, attempts=numbers)
        return {(row.id, row.attempt) for row in rows}


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
        may_declare_lost: Callable[[], bool],
    ) -> None:
        self._executors = executors
        self._replica_id = replica_id
        self._slots = slots
        self._pool = pool
        self._engine = engine
        self._may_declare_lost = may_declare_lost
        self._every_seconds = every_seconds
        self._strays: set[UUID] = set()
        """Our own jobs whose attempts can be adopted and that nothing here works on."""
        self._has_reconciled = False

    async def run(self) -> None:
        """Look for lost replicas until cancelled."""
        outage = OutageLog("recovery")
        while True:
            await asyncio.sleep(self._every_seconds)
            if not self._may_declare_lost():
                continue
            try:
                await self.reap()
            except Unavailable as error:
                outage.waiting(str(error))
            else:
                outage.end()

    async def reap(self) -> None:
        """Declare replicas lost whose lease expired; decide what happens to the jobs of all lost ones."""
        started = time.perf_counter()
        async with acquire(self._pool) as connection:
            store = RecoveryStore(connection)
            lost = await store.declare_lost(replica=self._replica_id)
            jobs = await store.jobs_of_lost_replicas()
            await self._adopt(store)
        for replica in lost:
            metrics.LOST_REPLICAS.inc()
            log.warning("replica.lost", replica=str(replica.id), name=replica.name)
        if jobs:
            # Without locks: the next step writes these results, fenced by the epochs read here.
            self._engine.report([_taken_over(job) for job in jobs])
            metrics.RECOVERED.labels("taken_over").inc(len(jobs))
            seconds = time.perf_counter() - started
            log.warning("recovery.jobs_taken_over", jobs=len(jobs), seconds=round(seconds, 3))
        if lost or not self._has_reconciled:
            await self._reconcile()

    async def _reconcile(self) -> None:
        """Clean up what dead replicas may have left behind, before we started or just now."""
        for executor in self._executors:
            await executor.reconcile(attempts_underway(self._pool))
        self._has_reconciled = True

    async def _adopt(self, store: RecoveryStore) -> None:
        """Continue attempts that outlived their runner."""
        strays = await store.owned_elsewhere(replica=self._replica_id) - self._engine.jobs
        # Only if seen twice in a row: the result of an attempt that just ended may not be written yet.
        known, self._strays = self._strays, strays
        jobs = await store.adopt(replica=self._replica_id, most=self._slots, strays=strays & known)
        if jobs:
            metrics.RECOVERED.labels("adopted").inc(len(jobs))
            log.warning("recovery.jobs_adopted", jobs=len(jobs))
            self._engine.adopt(jobs)


def attempts_underway(pool: asyncpg.Pool) -> Underway:
    """Asks the database which attempts have not ended."""

    async def underway(attempts: Collection[AttemptId]) -> set[AttemptId]:
        async with acquire(pool) as connection:
            return await RecoveryStore(connection).underway(attempts=attempts)

    return underway


def _taken_over(job: LostJob) -> Result:
    ending = after_loss(job.attempts, safe_to_rerun=job.safe_to_rerun, reason=f"runner lost: {job.replica}")
    return Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending)
