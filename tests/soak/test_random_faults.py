"""Chains of runs for minutes while replicas are killed and networks break at random: everything happens once.

`TEST_SOAK_SECONDS` says for how long, `TEST_SEED` repeats the faults of an earlier soak (not their timing).
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.end_to_end.chain import Chains
from tests.end_to_end.test_outages import SETTINGS
from tests.support.stack import Stack, open_stack
from tests.support.tcp_proxy import TcpProxy

SOAK_SECONDS = float(os.environ.get("TEST_SOAK_SECONDS") or 180)
SEED = int(os.environ.get("TEST_SEED") or time.time())
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SOAK_SECONDS + 300)]

MINUTELY = """
orchestration: minutely
phases: [{name: Tick, tasks: [{run: write/tick}]}]
schedules:
  every-minute: {cron: "* * * * *", overlap: queue}
---
configuration: write/tick
"""
LONGEST_OUTAGE_SECONDS = 6.0
MINUTE = timedelta(minutes=1)


class Faults:
    """Breaks one thing after another; a supervisor starts again whatever has ended."""

    def __init__(self, stack: Stack, dice: random.Random) -> None:
        self._stack = stack
        self._dice = dice
        self.counts: Counter[str] = Counter()
        stack.killed.update(stack.services)  # ends are expected here: the supervisor looks after them

    async def happen(self) -> None:
        """For ever."""
        kinds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._kill, 6),
            (self._database_outage, 2),
            (self._broker_outage, 2),
            (self._closed_connections, 1),
        ]
        while True:
            await asyncio.sleep(self._dice.uniform(0.2, 4))
            (fault,) = self._dice.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
            await fault()

    async def supervise(self) -> None:
        """Start again what ended, a moment later, as an orchestrator of containers does."""
        while True:
            await asyncio.sleep(0.1)
            for name, code in self._stack.exit_codes().items():
                self.counts[f"{name} ended with {code}"] += 1
                await asyncio.sleep(self._dice.uniform(0, 1))
                self._stack[name].start()

    async def _kill(self) -> None:
        name = self._dice.choice(list(self._stack.services))
        self.counts["kills"] += 1
        self._stack[name].kill()

    async def _database_outage(self) -> None:
        await self._break(self._stack.network.database, "database")

    async def _broker_outage(self) -> None:
        await self._break(self._stack.network.broker, "broker")

    async def _break(self, proxy: TcpProxy | None, what: str) -> None:
        assert proxy
        how = self._dice.choice(["cut", "stall", "drop_connections"])
        self.counts[f"{what} {how}"] += 1
        getattr(proxy, how)()
        await asyncio.sleep(self._dice.uniform(0, LONGEST_OUTAGE_SECONDS))
        await proxy.resume()

    async def _closed_connections(self) -> None:
        self.counts["broker closes connections"] += 1
        await asyncio.to_thread(self._stack.broker.close_connections)


async def test_everything_happens_once_whatever_breaks(tmp_path: Path) -> None:
    print(f"repeat with TEST_SEED={SEED}")
    async with open_stack(tmp_path, replicas=2, proxied=True, settings=SETTINGS) as stack:
        stack.robot.patience = stack.person.patience = 120
        chains = Chains(stack)
        await chains.prepare()
        await stack.apply(MINUTELY)
        faults = Faults(stack, random.Random(SEED))
        breaking = [asyncio.create_task(task) for task in (faults.happen(), faults.supervise())]
        try:
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                await chains.complete(repeated_mails=True, timeout=150)
                assert not any(task.done() for task in breaking), breaking
        finally:
            breaking[0].cancel()
            print(len(chains.asked), "chains;", dict(faults.counts))
        await _calm(stack)
        await _check_fires(stack)
        await chains.check(repeated_mails=True)
        most = 2 * len(chains.asked) + faults.counts["kills"]
        assert len(stack.mails.messages) <= most
        breaking[1].cancel()
        await asyncio.gather(*breaking, return_exceptions=True)


async def _calm(stack: Stack) -> None:
    """No more fires, no more faults: wait until all are well and have nothing left to do."""
    for proxy in (stack.network.database, stack.network.broker):
        assert proxy
        await proxy.resume()
    path = "orchestrations/minutely/schedules/every-minute"
    schedule = await stack.robot.get(path)
    body = {key: schedule[key] for key in ("cron", "timezone", "overlap")}
    await stack.robot.put(path, {**body, "enabled": False})
    await asyncio.sleep(2)  # the supervisor may have to start the last one killed
    for service in stack.services.values():
        await service.ready(60)
    await stack.at_rest(120)
    await stack.drained()


async def _check_fires(stack: Stack) -> None:
    """Every minute fired once, and every fire has its run."""
    schedule = await stack.robot.get("orchestrations/minutely/schedules/every-minute")
    fires = (await stack.robot.get(f"schedules/{schedule['id']}/fires?limit=500"))["items"]
    requested = sorted(
        datetime.fromisoformat(fire["scheduled_for"]) for fire in fires if fire["outcome"] == "requested"
    )
    assert requested == [requested[0] + index * MINUTE for index in range(len(requested))]
    runs = await stack.runs("minutely")
    wanted = [fire["job_id"] for fire in fires if fire["outcome"] == "requested"]
    assert sorted(run["id"] for run in runs) == sorted(wanted)
    assert {run["status"] for run in runs} == {"success"}
