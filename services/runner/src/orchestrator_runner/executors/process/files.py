"""Small file operations for tasks: called directly while the disk is fast, in threads while it is slow."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
SLOW_SECONDS = 0.05
THREADS = 4


class Files:
    """Chooses between direct calls and threads.

    Handing an operation to a thread and back costs several times what a fast disk needs for it. A slow disk,
    however, must delay only tasks, not the loop that renews the lease: after one slow operation all go
    through threads, until they are fast again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # A small pool of its own, so that file operations of tasks never block other work's threads.
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="task-files")
        self._is_slow = False

    @property
    def in_threads(self) -> bool:
        """Whether the disk was slow recently."""
        return self._is_slow

    async def do(self, function: Callable[P, T], /, *values: P.args, **options: P.kwargs) -> T:
        """Call the function. If cancelled while it runs in a thread, it still completes there."""

        def timed() -> T:
            began = self._clock()
            try:
                return function(*values, **options)
            finally:
                self._is_slow = self._clock() - began > SLOW_SECONDS

        if not self._is_slow:
            return timed()
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._threads, timed))

    def later(self, function: Callable[P, object], /, *values: P.args, **options: P.kwargs) -> None:
        """Call the function in a thread; only `close` waits for it."""
        self._threads.submit(function, *values, **options)

    def close(self) -> None:
        """Wait for operations underway; blocks."""
        self._threads.shutdown()
