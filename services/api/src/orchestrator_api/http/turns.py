"""Callers take turns at the connections to the database, so that none of them holds all."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from orchestrator_shared.domain.errors import Unavailable

USUAL_CONNECTIONS = 10
SHARE = 0.6
"""The part of the places that one caller may have at a time."""


class Turns:
    """Gives as many places as there are connections.

    A caller may have most of them, but not all. A free place goes to the caller that has waited longest since
    its last turn, however many requests the others have waiting.
    """

    def __init__(self, places: int, *, max_wait: float = 5.0) -> None:
        self._free = places
        self._most = max(1, int(places * SHARE))
        self._max_wait = max_wait
        self._held: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        """By caller, in the order of their turns."""

    @asynccontextmanager
    async def place(self, caller: Hashable) -> AsyncIterator[None]:
        """A place for one request; raises Unavailable if there is none in time."""
        if self._free and self._held[caller] < self._most:
            self._take(caller)
        else:
            await self._wait(caller)
        try:
            yield
        finally:
            self._give_back(caller)

    def _take(self, caller: Hashable) -> None:
        self._free -= 1
        self._held[caller] += 1

    def _give_back(self, caller: Hashable) -> None:
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
                self._give_back(caller)
            else:
                self._give_up(caller, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable("the api is busy with other requests") from None
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
