"""Growing delays between tries."""

import asyncio
import random


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
