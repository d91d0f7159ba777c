"""Decides how attempts, phases and runs end, and what comes next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator_shared.domain.statuses import EndReason, ErrorKind, JobStatus, TaskStatus

MAX_FREE_ATTEMPTS = 5
"""Limits how often a job that crashes its runner may do so."""

_FAILED = frozenset({TaskStatus.ERROR, TaskStatus.CANCELLED, TaskStatus.TERMINATED})


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a job was started and may be; `free` attempts were cut short by a lost or stopped runner."""

    made: int
    free: int
    most: int
    delay_seconds: float
    backoff: float
    retry_on: str = "any"
    """The kind of error that is worth another attempt: `user`, `internal` or `any`."""

    def left_after(self, kind: ErrorKind) -> bool:
        """Whether another attempt is allowed after an error of this kind."""
        return self.made - self.free < self.most and self.retry_on in ("any", kind)

    def next_delay_seconds(self) -> float:
        """The wait before the next attempt: `delay * backoff ** (failures - 1)`, at most a week."""
        failures = max(self.made - self.free, 1)
        exponent = min(failures - 1, 64)
        return float(min(self.delay_seconds * self.backoff**exponent, 604_800.0))


@dataclass(frozen=True, slots=True)
class Ending:
    """What happens to a job when its attempt is over.

    Status `waiting` means that another attempt follows, `ready` that this one was never started.
    """

    status: JobStatus
    message: str = ""
    error_kind: ErrorKind | None = None
    delay_seconds: float = 0.0
    free: bool = False


def after_failure(attempts: Attempts, message: str, kind: ErrorKind) -> Ending:
    """After a failed attempt: another one if the task has any left, otherwise the job ends in error."""
    if attempts.left_after(kind):
        return Ending(JobStatus.WAITING, message, delay_seconds=attempts.next_delay_seconds())
    return Ending(JobStatus.ERROR, message, kind)


def after_loss(attempts: Attempts, *, safe_to_rerun: bool, reason: str) -> Ending:
    """After the runner was lost or stopped during an attempt (docs/explanation/leases.md).

    The job runs again if the component declares that safe or the task has attempts left; nothing is silently
    done twice.
    """
    if safe_to_rerun and attempts.free < MAX_FREE_ATTEMPTS:
        return Ending(JobStatus.WAITING, reason, free=True)
    if attempts.left_after(ErrorKind.INTERNAL):
        return Ending(JobStatus.WAITING, reason, delay_seconds=attempts.next_delay_seconds())
    return Ending(JobStatus.ERROR, reason, ErrorKind.INTERNAL)


@dataclass(frozen=True, slots=True)
class TaskState:
    """The current state of a task in a run."""

    id: str
    phase: int
    active: bool
    status: TaskStatus
    continue_on_failure: bool

    @property
    def stops_the_run(self) -> bool:
        """Whether the task failed without being allowed to."""
        return self.active and self.status in _FAILED and not self.continue_on_failure


@dataclass(frozen=True, slots=True)
class StartPhase:
    """The run continues with this phase."""

    index: int


@dataclass(frozen=True, slots=True)
class EndRun:
    """The run has nothing left to do."""

    status: JobStatus
    message: str
    error_kind: ErrorKind | None = None
    reason: EndReason | None = None


def next_step(tasks: Sequence[TaskState], *, stopping: bool) -> StartPhase | EndRun:
    """Decide what a run does next, once all its started tasks have finished."""
    if stopping:
        return EndRun(JobStatus.TERMINATED, "terminated on request", reason=EndReason.STOPPED)
    failed = [task.id for task in tasks if task.stops_the_run]
    if failed:
        return EndRun(JobStatus.ERROR, f"failed: {_listed(failed)}", ErrorKind.USER, EndReason.TASKS_FAILED)
    pending = [task.phase for task in tasks if task.active and task.status is TaskStatus.PENDING]
    if pending:
        return StartPhase(min(pending))
    return _good_end(tasks)


def phase_after(tasks: Iterable[TaskState], index: int) -> int | None:
    """The phase that follows this one if all goes well."""
    pending = (task.phase for task in tasks if task.active and task.status is TaskStatus.PENDING)
    return min((phase for phase in pending if phase > index), default=None)


def _good_end(tasks: Iterable[TaskState]) -> EndRun:
    active = [task for task in tasks if task.active]
    flawed = [task.id for task in active if task.status in _FAILED or task.status is TaskStatus.WARNING]
    if flawed:
        message = f"continued after failures: {_listed(flawed)}"
        return EndRun(JobStatus.WARNING, message, reason=EndReason.WENT_ON_AFTER_FAILURES)
    if not active:
        return EndRun(
            JobStatus.SUCCESS, "no task is active: nothing was run", reason=EndReason.NOTHING_TO_RUN
        )
    return EndRun(JobStatus.SUCCESS, "")


def _listed(tasks: Sequence[str]) -> str:
    named = ", ".join(tasks[:3])
    return named if len(tasks) <= 3 else f"{named} and {len(tasks) - 3} more"
