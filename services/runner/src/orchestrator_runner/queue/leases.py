"""Registers, renews and ends this replica's own lease."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.keeper.lease import boottime
from orchestrator_runner.queue.ports import LeaseHolder
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, retry_while_unavailable

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5


class LeaseLost(OrchestratorError):
    """Other replicas have taken over our jobs, so this replica must end; a new one may start."""


class LeaseStore(Store):
    """The lease of one replica."""

    queries = Queries.load(__package__, "leases.sql")

    async def register(self, *, replica: UUID, name: str, slots: int, seconds: float) -> None:
        """Begin a lease."""
        await self._run("register", replica=replica, name=name, slots=slots, seconds=seconds)

    async def renew(self, *, replica: UUID, seconds: float, timeout: float) -> datetime | None:
        """Extend a lease; None if others declared the replica lost, TimeoutError if the server is silent."""
        values = self.queries.arguments("renew", {"replica": replica, "seconds": seconds})
        until: datetime | None = await self._connection.fetchval(
            self.queries["renew"], *values, timeout=timeout
        )
        return until

    async def announce_stop(self, *, replica: UUID) -> None:
        """Record that the replica takes no new jobs."""
        await self._run("announce_stop", replica=replica)

    async def unregister(self, *, replica: UUID) -> None:
        """End a lease."""
        await self._run("unregister", replica=replica)


class Leases:
    """Only the database's clock decides whether a lease holds; our own clock may only end it early."""

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
        self._replica_id = replica_id
        self._name = name
        self._slots = slots
        self._lease_seconds = lease_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._until = 0.0
        self._declares_from = 0.0

    async def register(self, keeper: LeaseHolder) -> None:
        """Announce this replica; from now on it may claim jobs."""
        asked_at = boottime()
        async with acquire(self._pool) as connection:
            await LeaseStore(connection).register(
                replica=self._replica_id, name=self._name, slots=self._slots, seconds=self._lease_seconds
            )
        self._pass_on(keeper, asked_at)
        log.info("replica.registered", replica=str(self._replica_id), name=self._name)

    @property
    def is_held(self) -> bool:
        """Whether the lease is valid by our own clock."""
        return boottime() < self._until

    @property
    def may_declare_lost(self) -> bool:
        """Whether this replica may declare others lost.

        After an outage in which our own lease ran out too, every replica first gets time to renew; otherwise
        they would declare each other lost.
        """
        return self.is_held and boottime() >= self._declares_from

    async def keep(self, keeper: LeaseHolder) -> None:
        """Renew until cancelled; raises LeaseLost when other replicas consider us lost."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self.renew(keeper)

    async def renew(self, keeper: LeaseHolder) -> None:
        """Renew once, waiting out an outage; raises LeaseLost."""
        asked_at, until = await retry_while_unavailable(
            self._ask_for_more,
            outage=_LeaseLog(lambda: self._until - boottime()),
            pauses=Backoff(first=RETRY_SECONDS, most=RETRY_SECONDS),
        )
        if until is None:
            raise LeaseLost("the lease of this replica ran out and its jobs have been taken over")
        metrics.LEASE_LEFT.set(max(self._until - boottime(), 0))
        self._pass_on(keeper, asked_at)

    async def _ask_for_more(self) -> tuple[float, datetime | None]:
        """A silent connection must not cost us the lease: the next try uses another one."""
        asked_at = boottime()
        async with acquire(self._pool) as connection:
            try:
                until = await LeaseStore(connection).renew(
                    replica=self._replica_id, seconds=self._lease_seconds, timeout=self._heartbeat_seconds
                )
            except TimeoutError:
                connection.terminate()
                raise
        return asked_at, until

    def _pass_on(self, keeper: LeaseHolder, asked_at: float) -> None:
        if self._until and not self.is_held:
            self._declares_from = asked_at + self._lease_seconds
        self._until = asked_at + self._lease_seconds
        keeper.renew_lease(self._lease_seconds, asked_at=asked_at)

    async def announce_stop(self) -> None:
        """Announce that this replica takes no new jobs."""
        async with acquire(self._pool) as connection:
            await LeaseStore(connection).announce_stop(replica=self._replica_id)

    async def unregister(self) -> None:
        """End the lease: other replicas may take over at once whatever this one still owns."""
        async with acquire(self._pool) as connection:
            await LeaseStore(connection).unregister(replica=self._replica_id)


class _LeaseLog(OutageLog):
    """Also logs how long the lease is still valid."""

    def __init__(self, left: Callable[[], float]) -> None:
        super().__init__("lease")
        self._left = left

    def waiting(self, reason: str) -> None:
        if self.is_news(reason):
            log.warning("replica.lease_not_renewed", reason=reason, left=round(self._left(), 1))
