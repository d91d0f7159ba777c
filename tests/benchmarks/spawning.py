"""Starting programs: for the worker of the reference, and as the raw rate that nothing can surpass."""

import asyncio
import os
import time

from tests.benchmarks.workloads import PROGRAM, SPAWN_CONCURRENCY


async def spawn() -> int:
    """Start the program and return its exit code; waits without a thread, on its pidfd."""
    pid = os.posix_spawn(PROGRAM, [PROGRAM], {})
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


async def raw_rate(programs: int) -> float:
    """Programs per second, `SPAWN_CONCURRENCY` at a time."""
    left = iter(range(programs))

    async def work() -> None:
        for _ in left:
            await spawn()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(SPAWN_CONCURRENCY)))
    return programs / (time.perf_counter() - began)
