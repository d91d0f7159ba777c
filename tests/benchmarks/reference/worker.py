"""The worker of the reference: executes tasks and acknowledges them once their results are confirmed."""

import asyncio
import json
import sys
from uuid import uuid4

from aiormq.abc import DeliveredMessage
from tests.benchmarks.reference.engine import RESULTS, TASKS
from tests.benchmarks.spawning import spawn
from tests.benchmarks.wire import Inbox, Outgoing, Wire
from tests.benchmarks.workloads import NOOP_CONCURRENCY, SPAWN_CONCURRENCY


class Worker:
    """No-ops are done as they come; programs are started `SPAWN_CONCURRENCY` at a time."""

    def __init__(self, wire: Wire, tasks: Inbox) -> None:
        self._wire = wire
        self._tasks = tasks
        self._room = asyncio.Semaphore(SPAWN_CONCURRENCY)
        self._done: list[tuple[DeliveredMessage, Outgoing]] = []
        self._some_done = asyncio.Event()
        self._underway = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish())
            while True:
                await self._tasks.arrived.wait()
                for message in self._tasks.take():
                    task = json.loads(message.body)
                    if task["body"] == "noop":
                        self._finish(message, task)
                    else:
                        group.create_task(self._spawn(message, task))

    async def _spawn(self, message: DeliveredMessage, task: dict[str, object]) -> None:
        self._underway += 1
        async with self._room:
            await spawn()
        self._underway -= 1
        self._finish(message, task)

    def _finish(self, message: DeliveredMessage, task: dict[str, object]) -> None:
        result = {"id": str(uuid4()), "run": task["run"], "phase": task["phase"], "task": task["task"]}
        self._done.append((message, ("", RESULTS, json.dumps(result).encode())))
        self._some_done.set()

    async def _publish(self) -> None:
        while True:
            await self._some_done.wait()
            batch, self._done = self._done, []
            self._some_done.clear()
            await self._wire.publish(outgoing for _, outgoing in batch)
            await self._acknowledge([message for message, _ in batch])

    async def _acknowledge(self, batch: list[DeliveredMessage]) -> None:
        if self._underway or self._done:
            for message in batch:
                await self._tasks.acknowledge(message)
        else:  # nothing older is open: one acknowledgement for all
            await self._tasks.acknowledge_up_to(sorted(batch, key=lambda message: message.delivery_tag or 0))


async def main(amqp_url: str) -> None:
    async with Wire.open(amqp_url) as wire:
        tasks = await wire.consume(TASKS, prefetch=NOOP_CONCURRENCY)
        print("ready", flush=True)
        await Worker(wire, tasks).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
