"""The input of one step of the engine, and its result."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from orchestrator_runner import metrics
from orchestrator_runner.runs.jobs import ClaimedJob, Result


@dataclass(frozen=True, slots=True)
class StepInput:
    """What a step has to do."""

    results: Sequence[Result] = ()
    """Results of finished attempts of this replica or of a lost one."""
    ended_children: frozenset[UUID] = frozenset()
    """Children that ended elsewhere and whose runs may not know it yet."""
    runs: frozenset[UUID] = frozenset()
    """Runs that may have nothing left to wait for."""
    slots: int = 0
    """How many jobs may be claimed to begin now."""
    ahead: int = 0
    """How many more may be claimed to begin when slots become free."""
    backlog: bool = False
    """Whether ready jobs may exist besides those that this step creates."""
    limited: tuple[str, ...] = ()
    """Projects with a parallel limit whose jobs may be claimed too."""

    def __bool__(self) -> bool:
        may_claim = self.backlog and self.slots + self.ahead > 0
        return bool(self.results or self.ended_children or self.runs) or may_claim


@dataclass(slots=True)
class StepResult:
    """What a step did, and what it leaves for the next one."""

    claimed: list[ClaimedJob] = field(default_factory=list)
    ended_children: set[UUID] = field(default_factory=set)
    runs: set[UUID] = field(default_factory=set)
    runs_are_ready: bool = False
    backlog: bool = False
    """Whether ready jobs remain because no slot was free."""


def count_claims(jobs: Sequence[ClaimedJob], limited: Collection[str] = ()) -> None:
    """Count the jobs that this replica has just claimed, and what they waited for."""
    metrics.CLAIMED.inc(len(jobs))
    for job in jobs:
        metrics.WAIT_SECONDS.labels("configuration").observe(job.seconds_waiting)
        cause = "parallel_limit" if job.project in limited else "slot"
        metrics.WAIT_SECONDS.labels(cause).observe(job.seconds_ready)
