"""The engine of the reference: hears in batches, writes each in one transaction, then publishes."""

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
from aiormq.abc import DeliveredMessage
from tests.benchmarks.wire import Inbox, Outgoing, Wire

from orchestrator_shared.database.queries import Queries

REQUESTS, TASKS, RESULTS, FINISHED = (
    "reference.requests",
    "reference.tasks",
    "reference.results",
    "reference.finished",
)
PREFETCH = 1000
Batch = tuple[list[DeliveredMessage], list[DeliveredMessage]]


class Engine:
    """State and inbox lie in PostgreSQL. Messages are acknowledged after what follows from them is confirmed;
    after a crash they come again, and what was underway is published again."""

    def __init__(self, connection: asyncpg.Connection, wire: Wire, requests: Inbox, results: Inbox) -> None:
        self._connection = connection
        self._wire = wire
        self._requests = requests
        self._results = results
        self._bodies: dict[UUID, str] = {}
        self._queries = Queries.load("tests.benchmarks.reference", "queries.sql")
        self._publishing: asyncio.Queue[tuple[list[Outgoing], Batch]] = asyncio.Queue()

    async def run(self) -> None:
        """Publishing one batch overlaps with writing the next."""
        await self._wire.publish(
            await self._messages(await self._connection.fetch(self._queries["underway"]))
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            group.create_task(self._publish())

    async def _write(self) -> None:
        while True:
            await _either(self._requests.arrived, self._results.arrived)
            batch = (self._requests.take(), self._results.take())
            rows: list[asyncpg.Record] = []
            async with self._connection.transaction():
                if batch[0]:
                    rows += await self._accept(batch[0])
                if batch[1]:
                    rows += await self._apply(batch[1])
            self._publishing.put_nowait((await self._messages(rows), batch))

    async def _publish(self) -> None:
        while True:
            messages, (requests, results) = await self._publishing.get()
            await self._wire.publish(messages)
            await self._requests.acknowledge_up_to(requests)
            await self._results.acknowledge_up_to(results)

    async def _accept(self, batch: list[DeliveredMessage]) -> list[asyncpg.Record]:
        requests = [json.loads(message.body) for message in batch]
        ids = [UUID(request["run"]) for request in requests]
        sizes = ["{" + ",".join(map(str, request["sizes"])) + "}" for request in requests]
        bodies = [request["body"] for request in requests]
        self._bodies.update(zip(ids, bodies, strict=True))
        return list(await self._connection.fetch(self._queries["accept"], ids, sizes, bodies))

    async def _apply(self, batch: list[DeliveredMessage]) -> list[asyncpg.Record]:
        results = [json.loads(message.body) for message in batch]
        rows = await self._connection.fetch(
            self._queries["apply"],
            [UUID(result["id"]) for result in results],
            [UUID(result["run"]) for result in results],
            [result["phase"] for result in results],
            [result["task"] for result in results],
        )
        through = [row["id"] for row in rows if row["remaining"] == 0]
        return list(await self._connection.fetch(self._queries["advance"], through)) if through else []

    async def _messages(self, rows: list[asyncpg.Record]) -> list[Outgoing]:
        """A task for the worker, or the end of a run."""
        unknown = list({row["run"] for row in rows} - self._bodies.keys())
        if unknown:
            self._bodies |= dict(map(tuple, await self._connection.fetch(self._queries["bodies"], unknown)))
        messages: list[Outgoing] = []
        for run, phase, task in rows:
            if phase is None:
                messages.append(("", FINISHED, json.dumps({"run": str(run)}).encode()))
                self._bodies.pop(run, None)
            else:
                content = {"run": str(run), "phase": phase, "task": task, "body": self._bodies[run]}
                messages.append(("", TASKS, json.dumps(content).encode()))
        return messages


async def _either(*events: asyncio.Event) -> None:
    if not any(event.is_set() for event in events):
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def prepare(database_url: str) -> None:
    """Make the tables of a fresh database."""
    connection = await asyncpg.connect(database_url)
    await connection.execute((Path(__file__).parent / "schema.sql").read_text())
    await connection.close()


async def main(amqp_url: str, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    async with Wire.open(amqp_url) as wire:
        await wire.declare(REQUESTS, TASKS, RESULTS, FINISHED)
        requests = await wire.consume(REQUESTS, prefetch=PREFETCH)
        results = await wire.consume(RESULTS, prefetch=PREFETCH)
        print("ready", flush=True)
        await Engine(connection, wire, requests, results).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
