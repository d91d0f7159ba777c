"""What executors share whose attempts run elsewhere and may outlive the runner."""

import asyncio
from collections.abc import Coroutine

from orchestrator_runner.executors.port import Adopted, Execution


def time_left(execution: Execution, adopted: Adopted | None) -> float | None:
    """Seconds until the time limit; None without a limit."""
    if execution.timeout_seconds is None:
        return None
    return max(execution.timeout_seconds - (adopted.ran_seconds if adopted else 0), 0)


async def run_to_end(coroutine: Coroutine[None, None, None]) -> None:
    """Run to the end, even if cancelled; the call limits its own time."""
    task = asyncio.create_task(coroutine)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()
