"""What is done now and then goes on after an outage, ends when told to, and hides no mistake."""

import asyncio

import pytest

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.periodic import repeat


async def test_an_outage_is_waited_for() -> None:
    stopping, tries = asyncio.Event(), []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("gone")
        stopping.set()

    async with asyncio.timeout(5):
        await repeat(work, every=0.01, stopping=stopping, name="scan")
    assert len(tries) == 3


async def test_a_pause_ends_with_the_service() -> None:
    stopping, worked = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        worked.set()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(repeat(work, every=3600, stopping=stopping, name="scan"))
        await worked.wait()
        stopping.set()


async def test_a_mistake_ends_it() -> None:
    async def work() -> None:
        raise KeyError("mistake")

    with pytest.raises(KeyError):
        await repeat(work, every=3600, stopping=asyncio.Event(), name="scan")
