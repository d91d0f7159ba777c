"""Small file operations of tasks: at once while the disk is quick, in threads while it is not."""

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
    """To hand an operation to a thread and back costs several times what a quick disk needs for it.

    But a slow one must delay tasks only, not the loop that renews the lease: after a slow answer all goes
    through threads, until they see quick ones again.
    """

    def __init__(self) -> None:
        # Few and own: tasks' files keep no other work from its thread.
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="task-files")
        self._is_slow = False

    @property
    def in_threads(self) -> bool:
        """Whether the disk was slow lately."""
        return self._is_slow

    async def do(self, function: Callable[P, T], /, *values: P.args, **options: P.kwargs) -> T:
        """Call it. Cancelled while it is in a thread, it still comes to its end there."""

        def timed() -> T:
            began = time.monotonic()
            try:
                return function(*values, **options)
            finally:
                self._is_slow = time.monotonic() - began > SLOW_SECONDS

        if not self._is_slow:
            return timed()
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._threads, timed))

    def later(self, function: Callable[P, object], /, *values: P.args, **options: P.kwargs) -> None:
        """Have it called in a thread; nobody waits for it but `close`."""
        self._threads.submit(function, *values, **options)

    def close(self) -> None:
        """Wait for what is underway; blocks."""
        self._threads.shutdown()
