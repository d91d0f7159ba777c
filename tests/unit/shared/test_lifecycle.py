"""Supervision and readiness inside one event loop."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from tests.support.loop_clock import LoopClock

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime import lifecycle as module
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.startup import retry_at_start


def died(task: str) -> float | None:
    return REGISTRY.get_sample_value("orchestrator_tasks_died_total", {"task": task})


async def test_a_task_cancelled_by_a_library_counts_as_died() -> None:
    lifecycle = Lifecycle("test")
    task = lifecycle.supervise("counted", asyncio.Event().wait())
    assert died("counted") == 0  # not absent
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait_for(lifecycle.stopping.wait(), 30)
    assert lifecycle.failure == "the task 'counted' ended: was cancelled"
    assert died("counted") == 1


async def test_a_task_ended_on_purpose_does_not() -> None:
    lifecycle = Lifecycle("test")
    async with lifecycle.supervised("relay", asyncio.Event().wait()) as task:
        await asyncio.sleep(0)
    assert task.cancelled()
    await asyncio.sleep(0)
    assert lifecycle.failure is None
    assert not lifecycle.stopping.is_set()


async def test_returning_while_stopping_is_fine_but_failing_is_a_failure() -> None:
    lifecycle = Lifecycle("test")

    async def until_stop(fails: bool) -> None:
        await lifecycle.stopping.wait()
        if fails:
            raise ValueError("lost rows")

    good = lifecycle.supervise("good", until_stop(False))
    bad = lifecycle.supervise("bad", until_stop(True))
    lifecycle.stop("test")
    await asyncio.wait([good, bad], timeout=30)
    await asyncio.sleep(0)
    assert lifecycle.failure == "the task 'bad' ended: ValueError: lost rows"


async def test_a_task_that_will_not_end_is_not_waited_for_forever() -> None:
    lifecycle, release = Lifecycle("test"), asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = lifecycle.supervise("stubborn", stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(lifecycle.cancel(task, timeout=0.05), 30)
    assert not task.done()
    release.set()
    await task


async def test_every_check_must_hold_and_none_may_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    lifecycle = Lifecycle("test")
    lifecycle.started = True

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    lifecycle.ready_when("sync", lambda: True)
    assert all((await lifecycle.readiness()).values())
    lifecycle.ready_when("hangs", hangs)
    assert await lifecycle.readiness() == {
        "started": True,
        "not_stopping": True,
        "sync": True,
        "hangs": False,
    }


async def test_a_check_added_while_the_others_are_asked_is_asked_the_next_time() -> None:
    lifecycle = Lifecycle("test")
    lifecycle.started = True

    async def adds() -> bool:
        lifecycle.ready_when("late", lambda: True)
        return True

    lifecycle.ready_when("first", adds)
    assert "late" not in await lifecycle.readiness()
    assert (await lifecycle.readiness())["late"] is True


async def test_a_start_gives_up_with_the_variable_named() -> None:
    tries, clock = 0, LoopClock()

    async def refuse() -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            clock.put_forward(3600)
        raise Unavailable("refused")

    with pytest.raises(
        Unavailable, match=r"the broker at mq:5672 was not reachable .* correct ORCHESTRATOR_AMQP_URL"
    ):
        await retry_at_start(
            refuse, what="the broker", address="mq:5672", variable="ORCHESTRATOR_AMQP_URL", timeout=60
        )
    assert tries == 2


async def test_a_mistake_at_the_start_is_not_retried() -> None:
    async def mistake() -> None:
        raise ValueError("no server's fault")

    with pytest.raises(ValueError, match="no server"):
        await retry_at_start(mistake, what="x", address="x", variable="X", timeout=60)
