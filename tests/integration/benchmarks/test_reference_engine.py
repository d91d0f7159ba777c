"""The engine that ours is compared with must be worth it: nothing lost, nothing twice, in order."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from tests.benchmarks.processes import Started
from tests.benchmarks.reference.engine import FINISHED, REQUESTS, prepare
from tests.benchmarks.reference.system import CHECK, OUT_OF_ORDER
from tests.benchmarks.wire import Wire
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.waiting import eventually

SIZES = [5, 1, 7]
RUNS = 10


class Reference:
    """Both processes, to be killed and started anew."""

    def __init__(self, folder: Path, vhost: BrokerVhost, database: Database) -> None:
        self._folder = folder
        self._arguments = {"engine": [vhost.url, database.url], "worker": [vhost.url]}
        self.parts: dict[str, Started] = {}
        self._starts = 0

    async def start(self, part: str) -> None:
        self._starts += 1
        module = f"tests.benchmarks.reference.{part}"
        name = f"{part}-{self._starts}"
        self.parts[part] = Started.module(name, module, {}, self._folder, *self._arguments[part])
        await self.parts[part].says()

    def kill(self, part: str) -> None:
        self.parts[part].kill()

    def end(self) -> None:
        for part in self.parts.values():
            part.end()


@pytest.fixture
def reference(tmp_path: Path, broker: BrokerVhost, empty_database: Database) -> Iterator[Reference]:
    made = Reference(tmp_path, broker, empty_database)
    yield made
    made.end()


async def request(wire: Wire, body: str = "noop") -> list[str]:
    runs = [str(uuid4()) for _ in range(RUNS)]
    content = {"sizes": SIZES, "body": body}
    await wire.publish(("", REQUESTS, json.dumps({"run": run, **content}).encode()) for run in runs)
    return runs


async def done(database: Database, runs: Sequence[str]) -> None:
    async def all_done() -> bool:
        row = (await database.fetch(CHECK, runs))[0]
        assert tuple(row) == (RUNS * sum(SIZES), RUNS * sum(SIZES), RUNS), dict(row)
        return True

    await eventually(all_done, 30)
    assert await database.fetchval(OUT_OF_ORDER, runs) == 0


@pytest.mark.parametrize("body", ["noop", "spawn"])
async def test_every_task_is_executed_once_and_phases_in_order(
    reference: Reference, broker: BrokerVhost, empty_database: Database, body: str
) -> None:
    await prepare(empty_database.url)
    for part in ("engine", "worker"):
        await reference.start(part)
    async with Wire.open(broker.url) as wire:
        runs = await request(wire, body)
        await done(empty_database, runs)
        ended = await wire.consume(FINISHED, prefetch=RUNS * 2)
        heard: set[str] = set()
        async with asyncio.timeout(30):
            while heard < set(runs):
                await ended.arrived.wait()
                heard |= {json.loads(message.body)["run"] for message in ended.take()}
    assert heard == set(runs)


async def test_nothing_is_lost_when_both_are_killed(
    reference: Reference, broker: BrokerVhost, empty_database: Database
) -> None:
    await prepare(empty_database.url)
    await reference.start("engine")
    async with Wire.open(broker.url) as wire:
        runs = await request(wire)

        async def some_accepted() -> bool:
            return bool(await empty_database.fetchval("SELECT count(*) FROM runs"))

        await eventually(some_accepted)
    reference.kill("engine")
    await reference.start("worker")
    reference.kill("worker")
    for part in ("engine", "worker"):
        await reference.start(part)
    await done(empty_database, runs)
