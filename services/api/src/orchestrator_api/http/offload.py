"""Long pure work in a few threads of its own, so that no request holds the event loop."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from orchestrator_shared.domain.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
PATIENCE_SECONDS = 10.0


class Offload:
    """Runs functions that compute for long and touch nothing of the loop.

    Threads are daemons: the process ends on SIGTERM whatever they are doing. One thread per call, at most
    `threads` at once; a caller that gets none within `patience` seconds is told to come again.
    """

    def __init__(self, *, threads: int = THREADS, patience: float = PATIENCE_SECONDS) -> None:
        self._free = asyncio.Semaphore(threads)
        self._patience = patience

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, or what it raised; Unavailable if all threads stay busy."""
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable("the api is busy with other long requests") from None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def compute() -> None:
            try:
                done = self._settler(answer, result=context.run(work, *args, **kwargs))
            except BaseException as error:
                done = self._settler(answer, error=error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done)

        threading.Thread(target=compute, name="offload", daemon=True).start()
        return await answer

    def _settler(
        self, answer: asyncio.Future[Any], *, result: object = None, error: BaseException | None = None
    ) -> Callable[[], None]:
        """What the loop does once the work has ended: a cancelled caller frees its thread only now."""

        def settle() -> None:
            self._free.release()
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        return settle
