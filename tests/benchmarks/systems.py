"""What a system offers to the measurement, and how long it may take."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from tests.benchmarks.processes import Started
from tests.benchmarks.wire import Inbox
from tests.benchmarks.workloads import Workload

SECONDS = 120.0


class System(Protocol):
    """Something that executes runs."""

    @property
    def name(self) -> str: ...

    @property
    def processes(self) -> Sequence[Started]:
        """What it consists of, apart from the servers."""

    async def analyze(self) -> None:
        """Refresh the database's statistics."""

    async def run(self, workload: Workload) -> float:
        """Seconds from the first request to the last news of an end; checks what was done afterwards."""


class Ends:
    """Hears which runs have ended; `run_of` reads the run from a message's body."""

    def __init__(self, inbox: Inbox, run_of: Callable[[bytes], str]) -> None:
        self._inbox = inbox
        self._run_of = run_of

    async def wait(self, runs: Collection[str]) -> None:
        """Return when all of these have ended."""
        open_runs = set(runs)
        async with asyncio.timeout(SECONDS):
            while open_runs:
                await self._inbox.arrived.wait()
                batch = self._inbox.take()
                open_runs -= {self._run_of(message.body) for message in batch}
                await self._inbox.acknowledge_up_to(batch)
