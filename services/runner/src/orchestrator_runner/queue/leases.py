"""Leases per replica: renewing our own, and taking over the jobs of replicas whose lease ran out."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.executors.process.keeper_client import Keeper, boottime
from orchestrator_runner.queue.loop import Engine
from orchestrator_runner.runs.jobs import ClaimedJob, Result, attempts_of
from orchestrator_runner.runs.lifecycle import after_loss
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import OrchestratorError, Unavailable
from orchestrator_shared.runtime.outages import Outage

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5


class LeaseLost(OrchestratorError):
    """Others have taken over our jobs: this replica must end; a new one may start."""


class Leases:
    """Only the database's clock decides; our own clock may only end a lease early."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        replica_id: UUID,
        name: str,
        slots: int,
        lease_seconds: float,
        heartbeat_seconds: float,
    ) -> None:
        self._pool = pool
        self._queries = Queries.load("orchestrator_runner.queue", "replicas.sql")
        self._replica_id = replica_id
        self._name = name
        self._slots = slots
        self._lease_seconds = lease_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._until = 0.0
        self._judges_from = 0.0

    async def register(self, keeper: Keeper) -> None:
        """Announce this replica; from here on it may claim."""
        asked_at = boottime()
        async with acquire(self._pool) as connection:
            await connection.execute(
                self._queries["register"], self._replica_id, self._name, self._slots, self._lease_seconds
            )
        self._pass_on(keeper, asked_at)
        log.info("replica.registered", replica=str(self._replica_id), name=self._name)

    @property
    def is_held(self) -> bool:
        """Whether the lease is good by our own clock."""
        return boottime() < self._until

    @property
    def may_judge(self) -> bool:
        """Whether others whose lease ran out are lost: after an outage in which ours ran out too, all first
        get the time to renew, or replicas would declare each other lost."""
        return self.is_held and boottime() >= self._judges_from

    async def keep(self, keeper: Keeper) -> None:
        """Renew until cancelled; raises LeaseLost when others consider us lost."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self._renew(keeper)

    async def _renew(self, keeper: Keeper) -> None:
        outage = Outage("lease")
        while True:
            asked_at = boottime()
            try:
                until = await self._ask_for_more()
                outage.end()
                break
            except Unavailable as error:
                if outage.is_news(str(error)):
                    left = round(self._until - boottime(), 1)
                    log.warning("replica.lease_not_renewed", reason=str(error), left=left)
                await asyncio.sleep(RETRY_SECONDS)
        if until is None:
            raise LeaseLost("the lease of this replica ran out and its jobs have been taken over")
        metrics.LEASE_LEFT.set(max(self._until - boottime(), 0))
        self._pass_on(keeper, asked_at)

    async def _ask_for_more(self) -> datetime | None:
        """A connection that fell silent must not cost the lease: the next try takes another one."""
        async with acquire(self._pool) as connection:
            try:
                until: datetime | None = await connection.fetchval(
                    self._queries["renew"],
                    self._replica_id,
                    self._lease_seconds,
                    timeout=self._heartbeat_seconds,
                )
            except TimeoutError:
                connection.terminate()
                raise
        return until

    def _pass_on(self, keeper: Keeper, asked_at: float) -> None:
        if self._until and not self.is_held:
            self._judges_from = asked_at + self._lease_seconds
        self._until = asked_at + self._lease_seconds
        keeper.renew_lease(self._lease_seconds, asked_at=asked_at)

    async def announce_stop(self) -> None:
        """Say that this replica takes nothing new."""
        async with acquire(self._pool) as connection:
            await connection.execute(self._queries["announce_stop"], self._replica_id)

    async def leave(self) -> None:
        """End the lease: whatever this replica still owns may be taken over at once."""
        async with acquire(self._pool) as connection:
            await connection.execute(self._queries["leave"], self._replica_id)


class Recovery:
    """Every replica looks for lost ones; the epoch decides if two find the same."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        engine: Engine,
        *,
        replica_id: UUID,
        slots: int = 8,
        every_seconds: float,
        may_judge: Callable[[], bool],
    ) -> None:
        self._replica_id = replica_id
        self._slots = slots
        self._pool = pool
        self._engine = engine
        self._may_judge = may_judge
        self._every_seconds = every_seconds
        self._queries = Queries.load("orchestrator_runner.queue", "replicas.sql", "handles.sql")
        self._strays: set[UUID] = set()
        """Own jobs whose run goes on at another service, and that nobody here works on."""

    async def run(self) -> None:
        """Look for ever."""
        outage = Outage("recovery")
        while True:
            await asyncio.sleep(self._every_seconds)
            if not self._may_judge():
                continue
            try:
                await self.look()
                outage.end()
            except Unavailable as error:
                if outage.is_news(str(error)):
                    log.warning("recovery.database_unavailable", reason=str(error))

    async def look(self) -> None:
        """Declare replicas lost whose lease ran out, and decide what becomes of the jobs of all lost ones."""
        started = time.perf_counter()
        async with acquire(self._pool) as connection:
            lost = await connection.fetch(self._queries["declare_lost"], self._replica_id)
            rows = await connection.fetch(self._queries["jobs_of_lost_replicas"])
            await self._adopt(connection)
        for row in lost:
            metrics.LOST_REPLICAS.inc()
            log.warning("replica.lost", replica=str(row["id"]), name=row["name"])
        if rows:
            self._engine.report([_taken_over(row) for row in rows])
            seconds = time.perf_counter() - started
            log.warning("recovery.jobs_taken_over", jobs=len(rows), seconds=round(seconds, 3))

    async def _adopt(self, connection: asyncpg.Connection) -> None:
        """Go on with attempts that outlived their runner."""
        owned = await connection.fetch(self._queries["owned_elsewhere"], self._replica_id)
        strays = {row["id"] for row in owned}.difference(self._engine.jobs)
        # Twice in a row: the result of one that has just ended may not be written yet.
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
