"""Waiting for a condition instead of sleeping: polls until it holds or the time is up."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

POLL_SECONDS = 0.02
LONGEST_POLL_SECONDS = 0.1
"""Between looks at what takes a second or more: looking all the time slows what is waited for."""
T = TypeVar("T")


@overload
async def eventually(condition: Callable[[], Awaitable[T | None]], timeout: float = ...) -> T: ...
@overload
async def eventually(condition: Callable[[], T | None], timeout: float = ...) -> T: ...
async def eventually(condition: Callable[[], object], timeout: float = 30) -> object:
    """The first truthy value of the condition; an AssertionError in it counts as "not yet"."""
    began = time.monotonic()
    while True:
        last: object
        try:
            value = condition()
            found = await value if inspect.isawaitable(value) else value
            if found:
                return found
            last = found
        except AssertionError as error:
            last = error
        waited = time.monotonic() - began
        if waited >= timeout:
            raise AssertionError(f"not within {timeout} s; the last value was {last!r}")
        await asyncio.sleep(min(max(POLL_SECONDS, waited / 10), LONGEST_POLL_SECONDS))
