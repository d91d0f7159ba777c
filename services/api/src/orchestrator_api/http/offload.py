"""Runs long pure work in a few threads of its own, so that no request blocks the event loop."""

import asyncio
import contextlib
import contextvars
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from orchestrator_api.http.refusals import TooMany
from orchestrator_api.http.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
MAX_WAIT_SECONDS = 10.0
MAX_CALLS = 16
"""The limit on calls of one caller, waiting or running."""
RETRY_AFTER_SECONDS = 2.0
FEW = 500
"""Things that are worked on at once: some milliseconds of work."""


class Offload:
    """Runs functions that compute for a long time and do not touch the event loop.

    Threads are daemons: the process ends on SIGTERM, whatever they are doing. Each call gets a thread, at
    most `threads` at once. Callers take turns, and each may have a limited number of calls in progress, so a
    caller that sends many delays only itself. A call that gets no thread within `max_wait` seconds raises
    Unavailable.
    """

    def __init__(
        self, *, threads: int = THREADS, max_wait: float = MAX_WAIT_SECONDS, max_calls: int = MAX_CALLS
    ) -> None:
        self._turns = Turns(threads, most=threads, max_wait=max_wait, busy_with="long-running requests")
        self._max_calls = max_calls
        self._underway: Counter[object] = Counter()

    def for_caller(self, caller: object) -> "CallerOffload":
        """The threads for one caller."""
        return CallerOffload(self, caller)

    async def run(self, caller: object, work: Callable[[], T]) -> T:
        """Return the result of `work`, or raise its exception."""
        if self._underway[caller] >= self._max_calls:
            detail = (
                f"you already have {self._max_calls} long-running requests in progress, which is the limit"
            )
            raise TooMany(detail, retry_after=RETRY_AFTER_SECONDS)
        self._underway[caller] += 1
        try:
            await self._turns.take(caller)
        except BaseException:
            self._finish(caller)
            raise
        return await self._run_in_thread(caller, work)

    def _finish(self, caller: object) -> None:
        self._underway[caller] -= 1
        if not self._underway[caller]:
            del self._underway[caller]

    async def _run_in_thread(self, caller: object, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def compute() -> None:
            try:
                done = self._deliver(caller, answer, result=context.run(work))
            except BaseException as error:
                done = self._deliver(caller, answer, error=error)
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody is waiting
                loop.call_soon_threadsafe(done)

        threading.Thread(target=compute, name="offload", daemon=True).start()
        return await answer

    def _deliver(
        self,
        caller: object,
        answer: asyncio.Future[Any],
        *,
        result: object = None,
        error: BaseException | None = None,
    ) -> Callable[[], None]:
        """Called in the event loop when the work ends; only then is the thread of a cancelled caller free."""

        def deliver() -> None:
            self._finish(caller)
            self._turns.give_back(caller)
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        return deliver


class CallerOffload:
    """The threads for one caller."""

    def __init__(self, offload: Offload, caller: object) -> None:
        self._offload = offload
        self._caller = caller

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `work` or raise its exception; TooMany or Unavailable if it gets no thread."""
        return await self._offload.run(self._caller, lambda: work(*args, **kwargs))

    async def run_many(self, count: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for work on so many things; on few it is done at once."""
        return await self.run(work, *args, **kwargs) if count > FEW else work(*args, **kwargs)
