"""The replica's slots: claimed jobs begin in order, each as soon as a slot is free."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_shared.runtime import failpoints

PACE_SECONDS = 0.25
AHEAD_STEPS = 4
AHEAD_MOST = 64
AHEAD_SECONDS = 1.0
"""How long a job claimed ahead may wait here; after that, another replica may have a free slot for it."""

Execute = Callable[[asyncio.Event], Awaitable[Result]]
"""Runs one attempt to its end, or until the event is set; never raises."""
Prepared = Mapping[UUID, Execute]
Prepare = Callable[[Sequence[ClaimedJob]], Coroutine[Any, Any, Prepared]]
"""Prepares all claimed jobs at once; waits out an outage."""


@dataclass(frozen=True, slots=True)
class _Claim:
    job: ClaimedJob
    prepared: "asyncio.Future[Prepared]"
    since: float


class Slots:
    """Executes at most `count` attempts at once and reports the result of each."""

    def __init__(self, count: int, report: Callable[[Result], None]) -> None:
        self.count = count
        self._report = report
        self._waiting: OrderedDict[UUID, _Claim] = OrderedDict()
        self._running: dict[UUID, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._ends: deque[float] = deque(maxlen=4 * AHEAD_MOST)

    @property
    def running(self) -> int:
        """Attempts underway."""
        return len(self._running)

    @property
    def jobs(self) -> set[UUID]:
        """Every job that this replica holds."""
        return self._running.keys() | self._waiting.keys()

    @property
    def is_ahead(self) -> bool:
        """Whether jobs are ready for the next slots that become free."""
        return bool(self._waiting)

    def room(self, step_seconds: float) -> tuple[int, int]:
        """How many jobs could begin now, and how many more within the next few steps.

        The second number is 0 where attempts take long.
        """
        held = len(self._running) + len(self._waiting)
        now = time.monotonic()
        while self._ends and self._ends[0] < now - PACE_SECONDS:
            self._ends.popleft()
        soon = min(int(AHEAD_STEPS * step_seconds * len(self._ends) / PACE_SECONDS), AHEAD_MOST)
        free = max(self.count - held, 0)
        return free, max(self.count + soon - held - free, 0)

    def take(
        self, jobs: Sequence[ClaimedJob], prepared: "asyncio.Future[Prepared]", *, at_once: bool = False
    ) -> None:
        """Begin these jobs in order, each when a slot is free; `at_once`: all now, as they are underway."""
        now = time.monotonic()
        claims = [_Claim(job, prepared, now) for job in jobs]
        if at_once:
            for claim in claims:
                self._begin(claim)
        else:
            self._waiting.update((claim.job.id, claim) for claim in claims)
            self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.count:
            self._begin(self._waiting.popitem(last=False)[1])

    def _begin(self, claim: _Claim) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(self._attempt(claim, stop), name=f"job {claim.job.id}")
        self._running[claim.job.id] = (task, stop)

    async def _attempt(self, claim: _Claim, stop: asyncio.Event) -> None:
        try:
            execute = (await asyncio.shield(claim.prepared))[claim.job.id]
            result = await execute(stop)
            failpoints.reach(failpoints.BEFORE_RESULT)
            self._report(result)
        finally:
            del self._running[claim.job.id]
            self._ends.append(time.monotonic())
            self._fill()

    def stop(self, jobs: Collection[UUID]) -> list[Result]:
        """Ask these attempts to end; give back the jobs that have not begun."""
        for job in jobs & self._running.keys():
            self._running[job][1].set()
        return [self._give_back(job, "stopped before it began") for job in jobs & self._waiting.keys()]

    def give_back(self, *, older_than: float = AHEAD_SECONDS) -> list[Result]:
        """Give back jobs claimed ahead that waited too long for a slot, so that other replicas run them."""
        since = time.monotonic() - older_than
        late = [job for job, claim in self._waiting.items() if claim.since <= since]
        return [self._give_back(job, "no slot was free in time") for job in late]

    def _give_back(self, job: UUID, reason: str) -> Result:
        return Result.given_back(self._waiting.pop(job).job, reason)

    async def drain(self, grace_seconds: float, kill_seconds: float) -> None:
        """Wait for running attempts; stop those that take too long."""
        if self._running:
            await asyncio.wait(self._tasks(), timeout=grace_seconds)
        self.stop(self._running.keys())
        if self._running:
            await asyncio.wait(self._tasks(), timeout=kill_seconds)

    def _tasks(self) -> Sequence[asyncio.Task[None]]:
        return [task for task, _ in self._running.values()]
