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
STOP_SECONDS = (1.2 * LEASE_SECONDS, 3 * LEASE_SECONDS)
PAUSE_SECONDS = (0.2, 1.1)


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
        self._resuming: dict[ServiceProcess, asyncio.Task[None]] = {}
        self.counts: Counter[str] = Counter()

    async def happen(self) -> None:
        """For ever."""
        kinds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._kill, 8),
            (self._suspend, 16),
            (self._cut_broker, 4),
            (self._cut_database, 4),
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
        await asyncio.gather(*self._resuming.values())

    async def _kill(self) -> None:
        self.counts["kills"] += 1
        self._awake().kill()

    async def _suspend(self) -> None:
        runner, seconds = self._awake(), self._dice.uniform(*STOP_SECONDS)
        if not runner.running or len(self._resuming) + 1 >= len(self._runners):
            return  # one must be left that takes over from the others
        self.counts["stops"] += 1
        runner.suspend()
        self._resuming[runner] = asyncio.create_task(self._resume(runner, seconds))

    async def _resume(self, runner: ServiceProcess, seconds: float) -> None:
        await asyncio.sleep(seconds)  # the fault's own length
        runner.resume()
        del self._resuming[runner]

    def _awake(self) -> ServiceProcess:
        return self._dice.choice([runner for runner in self._runners if runner not in self._resuming])

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
