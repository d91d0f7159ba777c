"""Random faults of runners, the api, their broker and their database connections, and who restarts them."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.support.chaos_world import Scene, World

from orchestrator_local.servers.rabbitmq import RabbitServer

DECK = {"kill": 6, "stop": 5, "stop_a_long_task": 7, "cut_broker": 3, "cut_database": 3, "kill_api": 1}
"""How often each fault comes while the cards are dealt once."""
FIRST = ("stop_a_long_task", "kill", "cut_broker", "stop_a_long_task", "cut_database")
"""What there is to see also where time is short."""
BROKER_SECONDS = 240
"""It starts in five seconds, unless all else starts at the same time on a small machine."""
STOPS = (1.2, 2.6)
"""In leases: from a little more than one, to long after the takeover."""
AIMED_STOPS = (2.2, 2.8)
"""In leases: they end while the next attempt of the long task is underway."""

AIMING_SECONDS = 8
"""Until there is one, and another runner that could take over."""

LATEST_LONG_TASK = """
SELECT r.name
FROM jobs.attempts a JOIN jobs.jobs j ON j.id = a.job_id JOIN jobs.replicas r ON r.id = a.replica_id
WHERE a.finished_at IS NULL AND j.status = 'processing' AND j.configuration LIKE 'slow-%'
    AND a.started_at > clock_timestamp() - interval '0.5 seconds' ORDER BY a.started_at DESC
"""

WITH_LEASE = """
SELECT DISTINCT name FROM jobs.replicas
WHERE lost_at IS NULL AND lease_until > clock_timestamp() ORDER BY name
"""


@dataclass(frozen=True)
class Death:
    """A runner that was killed, or stopped for longer than its lease, by the wall clock."""

    runner: str
    at: float
    until: float = float("inf")


class Faults:
    """Breaks one thing after another until cancelled."""

    def __init__(self, scene: Scene, world: World, dice: random.Random) -> None:
        self._scene = scene
        self._world = world
        self._dice = dice
        self._resuming: dict[str, asyncio.Task[None]] = {}
        self._restarting: asyncio.Task[None] | None = None
        self._happened = 0
        self._kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": self._kill,
            "stop": self._stop,
            "stop_a_long_task": self._stop_a_long_task,
            "cut_broker": self._cut_broker,
            "cut_database": self._cut_database,
            "kill_api": self._kill_api,
            "restart_broker": self._restart_broker,
        }
        self.counts: Counter[str] = Counter()
        self.deaths: list[Death] = []

    async def happen(self) -> None:
        """For ever: dealt like cards, so that each kind comes soon."""
        while True:
            deck = DECK | ({"restart_broker": 1} if self._scene.server else {})
            cards = [kind for kind, count in deck.items() for _ in range(count)]
            self._dice.shuffle(cards)
            for kind in [*FIRST, *cards]:
                await asyncio.sleep(self._dice.uniform(*self._scene.pause_seconds))
                await self._kinds[kind]()
                self._happened += 1

    @property
    def have_shown_all(self) -> bool:
        """Whether what must be seen also in a short time has happened."""
        return self._happened >= len(FIRST)

    async def supervise(self) -> None:
        """Start again what ended, a moment later."""
        while True:
            await asyncio.sleep(0.1)
            for service in (self._world.server, *self._world.runners.values()):
                if not service.running:
                    self.counts[f"{service.module} ended with {service.exit_code}"] += 1
                    await asyncio.sleep(self._dice.uniform(0, 0.5))
                    service.start()

    async def settle(self) -> None:
        """Let go on what still hangs."""
        await asyncio.gather(*self._resuming.values(), *filter(None, [self._restarting]))

    async def _kill(self) -> None:
        if name := await self._victim():
            self.counts["kills"] += 1
            self.deaths.append(Death(name, time.time()))
            self._world.runners[name].kill()

    async def _kill_api(self) -> None:
        self.counts["kills of the api"] += 1
        self._world.server.kill()

    async def _stop(self) -> None:
        seconds = self._scene.lease_seconds * self._dice.uniform(*STOPS)
        if name := await self._victim():
            self._suspend(name, seconds)

    async def _stop_a_long_task(self) -> None:
        """The runner whose task has just begun and will take longer than the lease."""
        seconds = self._scene.lease_seconds * self._dice.uniform(*AIMED_STOPS)
        deadline = time.monotonic() + AIMING_SECONDS
        while time.monotonic() < deadline:
            able = await self._able()
            rows = await self._scene.database.fetch(LATEST_LONG_TASK)
            if names := [row["name"] for row in rows if row["name"] in able and len(able) > 1]:
                self.counts["stops in a long task"] += 1
                return self._suspend(names[0], seconds)
            await asyncio.sleep(0.1)
        return None

    def _suspend(self, name: str, seconds: float) -> None:
        self.counts["stops"] += 1
        self.deaths.append(Death(name, time.time(), time.time() + seconds))
        self._world.runners[name].suspend()
        self._resuming[name] = asyncio.create_task(self._resume(name, seconds))

    async def _resume(self, name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)  # the fault's own length
        self._world.runners[name].resume()
        del self._resuming[name]

    async def _victim(self) -> str | None:
        """One of several: one must be left that takes over, however slowly the others start."""
        able = await self._able()
        index = self._dice.randrange(len(self._world.runners))
        return able[index % len(able)] if len(able) > 1 else None

    async def _able(self) -> list[str]:
        """The runners that could take over from others now."""
        rows = await self._scene.database.fetch(WITH_LEASE)
        return [
            row["name"]
            for row in rows
            if row["name"] not in self._resuming and self._world.runners[row["name"]].running
        ]

    async def _cut_broker(self) -> None:
        if self._restarting is not None and not self._restarting.done():
            return  # nobody is there to be asked
        broker = self._scene.broker
        self.counts["broker connections closed"] += await asyncio.to_thread(broker.close_connections)

    async def _cut_database(self) -> None:
        """Every connection of every service."""
        database = self._scene.database
        ended = await database.fetch(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename = ANY ($1) AND datname = $2""",
            list(database.role_names.values()),
            database.name,
        )
        self.counts["database connections ended"] += len(ended)

    async def _restart_broker(self) -> None:
        """Takes seconds, in which other things break too."""
        server = self._scene.server
        assert server
        if self._restarting is None or self._restarting.done():
            self.counts["broker restarts"] += 1
            self._restarting = asyncio.create_task(_restart(server))


async def _restart(server: RabbitServer) -> None:
    await asyncio.to_thread(server.stop, BROKER_SECONDS)
    await asyncio.to_thread(server.start, BROKER_SECONDS)
