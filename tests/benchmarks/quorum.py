"""Q: what one request and its reply through quorum queues take, the least that any step can."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from tests.benchmarks.processes import Started
from tests.benchmarks.stage import Stage
from tests.benchmarks.wire import Inbox, Wire

REQUESTS, REPLIES = "quorum.requests", "quorum.replies"


class Quorum:
    """Asks a process that answers at once."""

    def __init__(self, wire: Wire, replies: Inbox) -> None:
        self._wire = wire
        self._replies = replies

    @classmethod
    @asynccontextmanager
    async def open(cls, stage: Stage) -> AsyncIterator[Self]:
        with stage.vhost() as vhost:
            responder = Started.module("responder", "tests.benchmarks.quorum", {}, stage.folder, vhost.url)
            try:
                await responder.says()
                async with Wire.open(vhost.url) as wire:
                    yield cls(wire, await wire.consume(REPLIES, prefetch=10))
            finally:
                responder.end()

    async def ask(self) -> float:
        """Seconds from the request to its reply; both are persistent and confirmed."""
        began = time.perf_counter()
        await self._wire.publish([("", REQUESTS, b"?")])
        await self._replies.arrived.wait()
        seconds = time.perf_counter() - began
        await self._replies.acknowledge_up_to(self._replies.take())
        return seconds


async def answer(amqp_url: str) -> None:
    async with Wire.open(amqp_url) as wire:
        await wire.declare(REQUESTS, REPLIES)
        requests = await wire.consume(REQUESTS, prefetch=10)
        print("ready", flush=True)
        while True:
            await requests.arrived.wait()
            batch = requests.take()
            await wire.publish([("", REPLIES, b"!") for _ in batch])
            await requests.acknowledge_up_to(batch)


if __name__ == "__main__":
    asyncio.run(answer(*sys.argv[1:]))
