"""Turns at the connections: nobody holds all, and whoever waits is served in turn."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from orchestrator_api.http.turns import Turns
from orchestrator_shared.domain.errors import Unavailable


async def holds(turns: Turns, caller: str, count: int, stack: AsyncExitStack) -> None:
    for _ in range(count):
        await stack.enter_async_context(turns.place(caller))


async def test_a_caller_has_most_places_and_leaves_some() -> None:
    turns = Turns(10, max_wait=0)
    async with AsyncExitStack() as stack:
        await holds(turns, "greedy", 6, stack)
        with pytest.raises(Unavailable):
            await holds(turns, "greedy", 1, stack)
        await holds(turns, "other", 4, stack)
        with pytest.raises(Unavailable):
            await holds(turns, "third", 1, stack)
    async with AsyncExitStack() as stack:  # all were given back
        await holds(turns, "greedy", 6, stack)


async def test_free_places_go_round_among_those_who_wait() -> None:
    turns, served = Turns(1), list[str]()
    begun, asked = asyncio.Event(), asyncio.Event()

    async def ask(caller: str) -> None:
        async with turns.place(caller):
            served.append(caller)
            await asyncio.sleep(0)

    async def hold() -> None:
        async with turns.place("first"):
            begun.set()
            await asked.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await begun.wait()
        for caller in ("greedy",) * 5 + ("other", "third"):
            group.create_task(ask(caller))
        await asyncio.sleep(0)  # each of them asks
        asked.set()
    assert served == ["greedy", "other", "third", "greedy", "greedy", "greedy", "greedy"]


async def test_whoever_stops_waiting_takes_no_place() -> None:
    turns = Turns(1)
    async with turns.place("first"):
        waiting = asyncio.ensure_future(turns.place("second").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with turns.place("third"):
        pass


async def test_a_place_given_to_someone_who_just_left_is_passed_on() -> None:
    turns = Turns(1)
    first = turns.place("first")
    await first.__aenter__()
    waiting = asyncio.ensure_future(turns.place("second").__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)  # gives it to the second,
    waiting.cancel()  # which is gone before it hears of that
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with turns.place("third"):
        pass
