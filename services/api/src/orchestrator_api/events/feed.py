"""Listens to the broker's hints while there are streams, and not otherwise."""

import asyncio
from dataclasses import dataclass

from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.runtime.retry import wait_for_any

LINGER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Feed:
    """This replica's queue of hints; with no streams there is none, so the broker drops what no one wants."""

    consumer: Consumer
    watched: asyncio.Event

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume while someone watches; checked now and then, so that a reload of a page changes nothing."""
        while not stopping.is_set():
            await wait_for_any(stopping, self.watched)
            ended = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.consumer.run(ended))
                try:
                    while self.watched.is_set() and not stopping.is_set():
                        await wait_for_any(stopping, timeout=LINGER_SECONDS)
                finally:
                    ended.set()
