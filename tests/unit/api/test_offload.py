"""Issue 8, number 28: long pure work runs in a bounded number of threads, and never holds loop or process."""

import asyncio
import subprocess
import sys
import threading

import pytest
import structlog

from orchestrator_api.http.offload import Offload
from orchestrator_shared.domain.errors import Unavailable

HELD = """
import asyncio
from orchestrator_api.http.offload import Offload

def for_ever():
    print("held", flush=True)
    while True:
        pass

async def main():
    asyncio.create_task(Offload().run(for_ever))
    await asyncio.to_thread(input)

asyncio.run(main())
"""


async def test_results_errors_and_context_come_back() -> None:
    offload = Offload()
    structlog.contextvars.bind_contextvars(request_id="r1")
    try:
        assert await offload.run(structlog.contextvars.get_contextvars) == {"request_id": "r1"}
    finally:
        structlog.contextvars.clear_contextvars()
    with pytest.raises(ZeroDivisionError):
        await offload.run(lambda: 1 // 0)
    assert await offload.run(sorted, [2, 1], reverse=True) == [2, 1]


async def test_no_more_threads_than_allowed_and_the_loop_stays_free() -> None:
    offload, gate, lock = Offload(threads=2), threading.Event(), threading.Lock()
    running, counts = 0, []

    def wait() -> None:
        nonlocal running
        with lock:
            running += 1
            counts.append(running)
        gate.wait(60)
        with lock:
            running -= 1

    tasks = [asyncio.create_task(offload.run(wait)) for _ in range(6)]
    while len(counts) < 2:
        await asyncio.sleep(0)  # the loop runs on
    for _ in range(100):
        await asyncio.sleep(0)
    assert counts == [1, 2]
    gate.set()
    await asyncio.gather(*tasks)
    assert len(counts) == 6
    assert max(counts) == 2


async def test_who_gets_no_thread_in_time_is_told_to_come_again() -> None:
    offload, gate = Offload(threads=1, patience=0.01), threading.Event()
    first = asyncio.create_task(offload.run(gate.wait, 60))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="busy"):
        await offload.run(int)
    first.cancel()  # whoever asked is gone; the thread is not free before its work has ended
    with pytest.raises(Unavailable, match="busy"):
        await offload.run(int)
    gate.set()
    while offload._free.locked():
        await asyncio.sleep(0)
    assert await offload.run(int) == 0


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.stdin.write("\n")
        process.stdin.close()
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
