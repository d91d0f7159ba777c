"""What is done now and then goes on after an outage, ends when told to, and hides no mistake."""

import asyncio

import pytest
from structlog.testing import capture_logs

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.periodic import isolate, repeat


async def test_an_outage_is_waited_for() -> None:
    stopping, tries = asyncio.Event(), []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("gone")
        stopping.set()

    async with asyncio.timeout(30):
        await repeat(work, every=0.01, stopping=stopping, name="scan")
    assert len(tries) == 3


async def test_a_pause_ends_with_the_service() -> None:
    stopping, worked = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        worked.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(repeat(work, every=3600, stopping=stopping, name="scan"))
        await worked.wait()
        stopping.set()


async def test_a_mistake_ends_it() -> None:
    async def work() -> None:
        raise KeyError("mistake")

    with pytest.raises(KeyError):
        await repeat(work, every=3600, stopping=asyncio.Event(), name="scan")


async def test_it_goes_on_at_once_while_there_is_more_to_do_or_when_it_is_woken() -> None:
    stopping, woken, rounds = asyncio.Event(), asyncio.Event(), []

    async def work() -> bool:
        rounds.append(1)
        if len(rounds) == 2:
            asyncio.get_running_loop().call_soon(woken.set)
        if len(rounds) == 3:
            stopping.set()
        return len(rounds) == 1

    async with asyncio.timeout(30):
        await repeat(work, every=3600, stopping=stopping, woken=woken, name="mail")
    assert len(rounds) == 3


async def test_being_woken_does_not_shorten_the_pause_of_an_outage() -> None:
    stopping, woken, tries = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        tries.append(1)
        woken.set()
        asyncio.get_running_loop().call_soon(stopping.set)
        raise Unavailable("gone")

    async with asyncio.timeout(30):
        await repeat(work, every=3600, stopping=stopping, woken=woken, name="mail")
    assert len(tries) == 1


async def test_one_that_fails_does_not_hold_up_the_others() -> None:
    async def fail(error: Exception) -> int:
        raise error

    with capture_logs() as lines:
        assert await isolate(fail(KeyError("mistake")), kind="schedule", item="7") is None
    assert [(line["event"], line["kind"], line["item"]) for line in lines] == [
        ("scan.item_failed", "schedule", "7")
    ]
    with pytest.raises(Unavailable):
        await isolate(fail(Unavailable("gone")), kind="schedule", item="7")
