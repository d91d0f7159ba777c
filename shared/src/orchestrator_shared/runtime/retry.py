"""Retries with growing pauses, bounded waits, and calls repeated until a server of ours answers."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from orchestrator_shared.domain.errors import OrchestratorError, Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog

T = TypeVar("T")


class Backoff:
    """Doubling delays with jitter, from `first` up to `most` seconds."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        """The last try succeeded: begin with the first delay again."""
        self._next = self._first

    def take(self) -> float:
        """The delay before the next try."""
        delay, self._next = self._next, min(self._next * 2, self._most)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    async def sleep(self) -> None:
        """Wait before the next try."""
        await asyncio.sleep(self.take())


async def retry_while_unavailable(
    action: Callable[[], Awaitable[T]],
    *,
    outage: OutageLog,
    pauses: Backoff | None = None,
    within: float = math.inf,
    on: type[OrchestratorError] = Unavailable,
) -> T:
    """Call until the server that it needs answers. Errors other than `on` are raised at once, and the last
    of these after `within` seconds."""
    pauses = pauses or Backoff(first=0.1, most=1.0)
    now = asyncio.get_running_loop().time
    deadline = now() + within
    while True:
        try:
            result = await action()
        except on as error:
            left = deadline - now()
            if left <= 0:
                raise
            outage.waiting(str(error))
        else:
            outage.end()
            return result
        await asyncio.sleep(min(pauses.take(), max(left, 0.01)))


async def wait_for_any(*events: asyncio.Event, timeout: float | None = None) -> bool:
    """Wait until one of the events is set; False when none is after `timeout` seconds."""
    if any(event.is_set() for event in events):
        return True
    try:
        async with asyncio.timeout(timeout):
            await (events[0].wait() if len(events) == 1 else _first_set(events))
    except TimeoutError:
        return False
    return True


async def _first_set(events: Iterable[asyncio.Event]) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
