"""Issue 8, number 28: long work runs in a bounded number of threads, and blocks neither loop nor exit."""

import asyncio
import subprocess
import sys
import threading

import pytest
import structlog

from orchestrator_api.http.offload import Offload
from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.domain.errors import Unavailable

HELD = """
import asyncio
from orchestrator_api.http.offload import Offload

def for_ever():
    print("held", flush=True)
    while True:
        pass

async def main():
    asyncio.create_task(Offload().for_caller("a").run(for_ever))
    await asyncio.to_thread(input)

asyncio.run(main())
"""


async def test_results_errors_and_context_come_back() -> None:
    offload = Offload().for_caller("a")
    structlog.contextvars.bind_contextvars(request_id="r1")
    try:
        assert await offload.run(structlog.contextvars.get_contextvars) == {"request_id": "r1"}
    finally:
        structlog.contextvars.clear_contextvars()
    with pytest.raises(ZeroDivisionError):
        await offload.run(lambda: 1 // 0)
    assert await offload.run(sorted, [2, 1], reverse=True) == [2, 1]


async def test_no_more_threads_than_allowed_and_the_loop_stays_free() -> None:
    offload, gate, lock = Offload(threads=2).for_caller("a"), threading.Event(), threading.Lock()
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


async def test_a_caller_that_gets_no_thread_in_time_gets_retry_after() -> None:
    threads, gate = Offload(threads=1, max_wait=0.01), threading.Event()
    offload = threads.for_caller("a")
    first = asyncio.create_task(offload.run(gate.wait, 60))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="busy"):
        await offload.run(int)
    first.cancel()  # whoever asked is gone; the thread is not free before its work has ended
    with pytest.raises(Unavailable, match="busy"):
        await offload.run(int)
    gate.set()
    while not threads._turns._free:
        await asyncio.sleep(0)
    assert await offload.run(int) == 0


async def test_a_caller_with_too_many_long_calls_gets_retry_after() -> None:
    threads, gate = Offload(threads=1, max_calls=3), threading.Event()
    greedy, modest = threads.for_caller("greedy"), threads.for_caller("modest")
    calls = [asyncio.create_task(greedy.run(gate.wait, 60)) for _ in range(10)]
    while sum(call.done() for call in calls) < 7:
        await asyncio.sleep(0)
    refusals = [call.exception() for call in calls if call.done()]
    assert [type(each) for each in refusals] == [TooMany] * 7
    assert str(
        refusals[0]
    ) == "you already have 3 long-running requests in progress, which is the limit: " + (
        "try again in 2 seconds"
    )
    taken = [call for call in calls if not call.done()]
    others = asyncio.create_task(modest.run(int))
    gate.set()
    assert await others == 0
    assert await asyncio.gather(*taken) == [True] * 3
    assert await greedy.run(int) == 0
    assert threads._underway == {}


async def test_callers_take_turns() -> None:
    threads, gate, order = Offload(threads=1), threading.Event(), list[str]()
    first = asyncio.create_task(threads.for_caller("a").run(gate.wait, 60))
    await asyncio.sleep(0)
    calls = []
    for caller, many in (("a", 4), ("b", 2), ("c", 1)):
        calls += [
            asyncio.create_task(threads.for_caller(caller).run(order.append, f"{caller}{i}"))
            for i in range(many)
        ]
    await asyncio.sleep(0)
    calls[1].cancel()
    gate.set()
    await asyncio.gather(first, *calls, return_exceptions=True)
    assert order == ["a0", "b0", "c0", "a2", "b1", "a3"]
    assert (threads._turns._free, threads._turns._waiting, threads._underway) == (1, {}, {})


async def test_a_turn_that_comes_as_its_caller_gives_up_goes_to_the_next() -> None:
    threads, gate = Offload(threads=1), threading.Event()
    first = asyncio.create_task(threads.for_caller("a").run(gate.wait, 60))
    await asyncio.sleep(0)
    gone = [asyncio.create_task(threads.for_caller(name).run(int)) for name in ("b", "c")]
    last = asyncio.create_task(threads.for_caller("d").run(int))
    await asyncio.sleep(0)
    gone[0].cancel()  # before its turn is given away
    threads._turns._free += 1
    threads._turns._wake()
    gone[1].cancel()  # after
    gate.set()
    assert await first is True
    assert await last == 0
    assert all(
        isinstance(each, asyncio.CancelledError)
        for each in await asyncio.gather(*gone, return_exceptions=True)
    )


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
