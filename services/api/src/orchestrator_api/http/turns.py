"""Callers take turns at what there is little of, so that none of them holds all: connections, threads."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from orchestrator_shared.domain.errors import Unavailable

USUAL_CONNECTIONS = 10
SHARE = 0.6
"""The part of the places that one caller may have at a time."""


class Turns:
    """Gives as many places as there are.

    A caller may have most of them, and not all unless `most` says so. A free place goes to the caller that
    has waited longest since its last turn, however many requests the others have waiting.
    """

    def __init__(
        self, places: int, *, most: int | None = None, max_wait: float = 5.0, busy_with: str = "requests"
    ) -> None:
        self._free = places
        self._most = most or max(1, int(places * SHARE))
        self._max_wait = max_wait
        self._busy_with = busy_with
        self._held: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        """By caller, in the order of their turns."""

    @asynccontextmanager
    async def place(self, caller: Hashable) -> AsyncIterator[None]:
        """A place for as long as the block lasts; see `take`."""
        await self.take(caller)
        try:
            yield
        finally:
            self.give_back(caller)

    async def take(self, caller: Hashable) -> None:
        """Wait for a place, which has to be given back; raises Unavailable if there is none in time."""
        if self._free and self._held[caller] < self._most:
            self._take(caller)
        else:
            await self._wait(caller)

    def _take(self, caller: Hashable) -> None:
        self._free -= 1
        self._held[caller] += 1

    def give_back(self, caller: Hashable) -> None:
        """Whoever has waited longest since its last turn gets it."""
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._wake()

    async def _wait(self, caller: Hashable) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            async with asyncio.timeout(self._max_wait):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # the place was given at the same moment: pass it on
                self.give_back(caller)
            else:
                self._give_up(caller, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable(f"the api is busy with other {self._busy_with}") from None
            raise

    def _give_up(self, caller: Hashable, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(caller, deque())
        if turn in turns:
            turns.remove(turn)
        if not turns:
            self._waiting.pop(caller, None)

    def _wake(self) -> None:
        """Give free places to those who wait and may have one."""
        while self._free:
            caller = next((each for each in self._waiting if self._held[each] < self._most), None)
            if caller is None:
                return
            turns = self._waiting.pop(caller)
            turn = turns.popleft()
            if turns:
                self._waiting[caller] = turns  # goes to the end of the order
            if not turn.done():  # a caller that has just given up may still be here
                self._take(caller)
                turn.set_result(None)
