"""Programs that look at other programs: is it alive, where does its trail end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from orchestrator_runner.keeper.processes import read_process


def is_alive(pid: int) -> bool:
    """A zombie is dead: it only waits to be collected."""
    process = read_process(pid)
    return process is not None and not process.is_zombie


async def until(condition: Callable[[], bool], *, within: float, what: str) -> None:
    """Wait for a condition of the outside world that nothing signals."""
    try:
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


async def pids_in(path: Path, count: int, *, within: float = 30.0) -> list[int]:
    """Wait for a file in which `count` processes have written their ids, a line each."""

    def lines() -> list[str]:
        return path.read_text().split() if path.exists() else []

    await until(lambda: len(lines()) >= count, within=within, what=f"{count} process ids in {path.name}")
    return [int(line) for line in lines()]
