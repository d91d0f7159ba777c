"""Random faults of runners, their broker and their database connections, and a supervisor that restarts."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess

from orchestrator_cli.local.rabbitmq import RabbitServer

LEASE_SECONDS = 2.0
PAUSE_SECONDS = (0.2, 1.4)


class Faults:
    """Breaks one thing after another until cancelled; `server` is a broker that may be stopped as a whole."""

    def __init__(
        self,
        runners: Sequence[ServiceProcess],
        database: Database,
        broker: BrokerVhost,
        dice: random.Random,
        server: RabbitServer | None = None,
    ) -> None:
        self._runners = runners
        self._database = database
        self._broker = broker
        self._dice = dice
        self._server = server
        self._resuming: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    async def happen(self) -> None:
        """For ever."""
        kinds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._kill, 10),
            (self._suspend, 10),
            (self._cut_broker, 5),
            (self._cut_database, 5),
            (self._restart_broker, 1 if self._server else 0),
        ]
        while True:
            await asyncio.sleep(self._dice.uniform(*PAUSE_SECONDS))
            (fault,) = self._dice.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
            await fault()

    async def supervise(self) -> None:
        """Start again what ended, a moment later."""
        while True:
            await asyncio.sleep(0.1)
            for runner in self._runners:
                if not runner.running:
                    self.counts[f"ended with {runner.exit_code}"] += 1
                    await asyncio.sleep(self._dice.uniform(0, 0.5))
                    runner.start()

    async def settle(self) -> None:
        """Let go on what still hangs."""
        await asyncio.gather(*self._resuming)

    async def _kill(self) -> None:
        self.counts["kills"] += 1
        self._dice.choice(self._runners).kill()

    async def _suspend(self) -> None:
        runner, seconds = self._dice.choice(self._runners), LEASE_SECONDS * self._dice.uniform(0.8, 2.2)
        if not runner.running:
            return
        self.counts["stops"] += 1
        runner.suspend()
        resuming = asyncio.create_task(self._resume(runner, seconds))
        self._resuming.add(resuming)
        resuming.add_done_callback(self._resuming.discard)

    async def _resume(self, runner: ServiceProcess, seconds: float) -> None:
        await asyncio.sleep(seconds)  # the fault's own length
        runner.resume()

    async def _cut_broker(self) -> None:
        self.counts["broker connections closed"] += await asyncio.to_thread(self._broker.close_connections)

    async def _cut_database(self) -> None:
        ended = await self._database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = $2",
            self._database.role_names["runner"],
            self._database.name,
        )
        self.counts["database connections ended"] += len(ended)

    async def _restart_broker(self) -> None:
        assert self._server
        self.counts["broker restarts"] += 1
        await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._server.start)
