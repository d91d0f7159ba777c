"""Waits that end: telling our own cancellation from the library's, and closing things within a limit."""

import asyncio
from collections.abc import Awaitable


def cancelled_by_us() -> bool:
    """In `except CancelledError`: whether this task was cancelled, or only a future of the library's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end_quietly(closing: Awaitable[object], *, timeout: float) -> None:
    """Await the closing of what may be broken already, for a while; only our own cancellation gets out."""
    try:
        async with asyncio.timeout(timeout):
            await closing
    except asyncio.CancelledError:
        if cancelled_by_us():
            raise
    except Exception:
        return
