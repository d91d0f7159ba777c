"""Distinguishes our own cancellation from the library's, and closes things within a limit."""

import asyncio
from collections.abc import Awaitable


def cancelled_by_us() -> bool:
    """In `except CancelledError`: whether this task was cancelled, or only a future of the library's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end_quietly(closing: Awaitable[object], *, timeout: float) -> None:
    """Close what may already be broken, within a limit; only our own cancellation is raised."""
    try:
        async with asyncio.timeout(timeout):
            await closing
    except asyncio.CancelledError:
        if cancelled_by_us():
            raise
    except Exception:
        return
