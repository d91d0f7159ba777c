"""What every service is made of: pool, broker, outbox, consumers and loops, and how they end in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from orchestrator_shared.database.pool import acquire, database, writable
from orchestrator_shared.database.turns import Measuring
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.periodic import repeat
from orchestrator_shared.settings import ServiceSettings

FLUSH_SECONDS = 5.0


class Skeleton:
    """The servers of one replica, and the tasks that end by themselves when the service is to stop."""

    def __init__(
        self, lifecycle: Lifecycle, pool: asyncpg.Pool, broker: Broker, *, drain_seconds: float
    ) -> None:
        self.lifecycle = lifecycle
        self.pool = pool
        self.broker = broker
        self.connections = partial(acquire, pool)
        self._drain_seconds = drain_seconds
        self._tasks: list[asyncio.Task[Any]] = []
        self._relays: list[tuple[Outbox, asyncio.Task[None]]] = []

    def outbox(self, schema: str) -> Outbox:
        """The outbox in this schema, with its relay at work until all else has ended."""
        outbox = Outbox(
            schema=schema, source=f"/{self.lifecycle.name}", pool=self.pool, publisher=self.broker.publisher
        )
        self.relay(outbox)
        return outbox

    def relay(self, outbox: Outbox) -> None:
        """Run this outbox's relay until all else has ended."""
        self._relays.append((outbox, self.lifecycle.supervise("outbox", outbox.run())))

    def consume(self, name: str, consumer: Consumer, *, is_needed: bool = True) -> None:
        """Consume until the service stops, then finish what was begun; if needed, ready only meanwhile."""
        if is_needed:
            self.lifecycle.ready_when(name, lambda: consumer.consuming)
        self.run(name, consumer.run(self.lifecycle.stopping))

    def repeat(self, name: str, action: Callable[[], Awaitable[object]], *, every: float) -> None:
        """Do this every so many seconds until the service stops."""
        self.run(name, repeat(action, name=name, every=every, stopping=self.lifecycle.stopping))

    def measure(self, measuring: Measuring, *, every: float) -> None:
        """Measure every so many seconds; another replica takes over when the service stops."""

        async def run() -> None:
            await repeat(measuring.once, name="measure", every=every, stopping=self.lifecycle.stopping)
            await measuring.pass_on()

        self.run("measure", run())

    def run(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A supervised task that ends by itself, soon, when `lifecycle.stopping` is set."""
        self._tasks.append(self.lifecycle.supervise(name, coroutine))

    async def drain(self) -> None:
        """Wait, within bounds, until the tasks have finished and their messages are published."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._drain_seconds)
            await self.lifecycle.cancel(*self._tasks)
        for outbox, _ in self._relays:
            await outbox.flush(FLUSH_SECONDS)

    async def cancel(self) -> None:
        """End whatever is left."""
        await self.lifecycle.cancel(*self._tasks, *(relay for _, relay in self._relays))


@asynccontextmanager
async def open_skeleton(
    settings: ServiceSettings, lifecycle: Lifecycle, *, planning: Mapping[str, str] | None = None
) -> AsyncIterator[Skeleton]:
    """Connect to both servers and be ready while they are; on leaving drain the tasks, then close."""
    name = lifecycle.name
    async with (
        database(settings, application_name=f"orchestrator-{name}", planning=planning) as pool,
        Broker.open(settings.amqp_url, name=name, start_timeout=settings.startup_timeout_seconds) as broker,
    ):
        lifecycle.ready_when("database", partial(writable, pool))
        lifecycle.ready_when("broker", broker.ready)
        skeleton = Skeleton(lifecycle, pool, broker, drain_seconds=settings.shutdown_grace_seconds / 2)
        try:
            yield skeleton
            await skeleton.drain()
        finally:
            await skeleton.cancel()
