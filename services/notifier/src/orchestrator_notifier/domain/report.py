"""What a mail reports about a run, or about something missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_shared.domain.statuses import EndReason, JobStatus, Origin


@dataclass(frozen=True, slots=True)
class Start:
    """Who or what started a run."""

    origin: Origin
    schedule: str | None = None
    trigger: str | None = None
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task that did not end well; `path` leads to it through nested runs."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    """What the tasks of the path are called."""
    phase: str
    what: str
    status: JobStatus
    continued: bool
    job_id: UUID | None
    message: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    is_run: bool
    log: str = ""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run, as it ended."""

    id: UUID
    number: int
    project: str
    project_name: str
    orchestration: str
    name: str
    status: JobStatus
    start: Start
    stopped_by: str | None
    scheduled_for: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str
    end_reason: EndReason | None
    version: int | None
    root: tuple[UUID, str, int] | None
    """Id, orchestration and number of the run that this one is nested in, and `start` is that one's."""
    failed: Sequence[FailedTask]
    failed_count: int
    counts: Mapping[str, int]
    to_repeat: Sequence[str]


@dataclass(frozen=True, slots=True)
class MissedReport:
    """A schedule or trigger that should have started a run and did not."""

    project: str
    orchestration: str
    source: str
    """The name of the schedule or trigger."""
    rhythm: str = ""
    count: int = 1
    first: datetime | None = None
    last: datetime | None = None
    late_tables: Sequence[str] = ()
    late_count: int = 0


def deepest(tasks: Sequence[FailedTask]) -> list[FailedTask]:
    """Without the nested runs that only failed because of the tasks listed below them."""
    above = {task.path[:length] for task in tasks for length in range(1, len(task.path))}
    return [task for task in tasks if task.path not in above]
