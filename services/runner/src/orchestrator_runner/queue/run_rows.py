"""Rows about runs and their tasks, and what the decisions of `runs` need of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_runner.queue.planned_run import ChildTask
from orchestrator_runner.queue.rows import FinishedJob
from orchestrator_runner.runs.jobs import Attempted
from orchestrator_runner.runs.lifecycle import TaskState
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus, TaskStatus


@dataclass(frozen=True, slots=True)
class EndedChild:
    """An ended job that belongs to a run."""

    run: UUID
    phase: int
    task: str
    job: UUID
    status: str


@dataclass(frozen=True, slots=True)
class PhaseLeft:
    """How many tasks of a phase have not finished."""

    run: UUID
    phase: int
    remaining: int
    seconds: float | None
    """How long it took, once none is left."""


@dataclass(frozen=True, slots=True)
class ReadyRun:
    """A run that may start, with the definition it would use."""

    id: UUID
    lane_id: int
    project: str
    component: str
    configuration: str
    depth: int
    selection: Sequence[str] | None
    origin: str
    parameters: Mapping[str, Any]
    current_version: int | None
    """None if the orchestration does not exist."""
    deleted_at: datetime | None
    version: int | None
    definition: Mapping[str, Any] | None
    """None if the orchestration has no such version."""
    task_versions: Mapping[str, int] | None
    token_id: UUID | None
    token_is_revoked: bool | None
    """None if the orchestration has no token."""
    token_refusal: str | None
    """Of a nested run: why the token of the run above it does not allow it."""


@dataclass(frozen=True, slots=True)
class UsedUpdates:
    """A triggered run whose updates another full run has used."""

    id: UUID
    used_by: UUID
    name: str
    """Of the other run: orchestration and number."""


@dataclass(frozen=True, slots=True)
class LockedRun:
    """A run as it is under its lock."""

    id: UUID
    lane_id: int
    status: JobStatus


@dataclass(frozen=True, slots=True)
class UnappliedResult(Attempted):
    """A child that has ended without its run knowing; `attempt` counts the jobs of its task."""

    id: UUID
    parent_id: UUID
    task_id: str
    phase: int
    status: JobStatus
    kind: str
    lane_id: int
    message: str | None
    started_at: datetime | None
    error_kind: ErrorKind | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of a run."""

    run_id: UUID
    phase: int
    task_id: str
    position: int
    active: bool
    status: str
    job_id: UUID | None
    continue_on_failure: bool
    component: str
    configuration: str
    version: int | None
    lane_id: int
    request: Mapping[str, Any] | None
    """Only for pending tasks of the next phase."""
    remaining: int | None = None
    """Set in rows that stand for a phase and have no task: how many of its tasks have not finished."""
    seconds: float | None = None
    """In such rows, once none is left: how long the phase took."""


def task_state(row: TaskRow, ended: Mapping[UUID, str]) -> TaskState:
    """A task as `lifecycle` sees it, from its row and the ends of the jobs in this step."""
    status = (
        ended.get(row.job_id, row.status) if row.status == TaskStatus.STARTED and row.job_id else row.status
    )
    return TaskState(
        id=row.task_id,
        phase=row.phase,
        active=row.active,
        status=TaskStatus(status),
        continue_on_failure=row.continue_on_failure,
    )


def ended_child(row: FinishedJob | UnappliedResult) -> EndedChild:
    """A child of a run that ended, from its job's row."""
    assert row.parent_id is not None, "a child has a parent"
    assert row.task_id is not None, "a child belongs to a task"
    assert row.phase is not None, "a task belongs to a phase"
    return EndedChild(row.parent_id, row.phase, row.task_id, row.id, row.status)


def next_child(row: TaskRow) -> ChildTask:
    """A pending task of the next phase."""
    assert row.request is not None, "pending tasks of the next phase come with their requests"
    return ChildTask(
        run=row.run_id,
        lane_id=row.lane_id,
        phase=row.phase,
        position=row.position,
        task_id=row.task_id,
        component=row.component,
        configuration=row.configuration,
        version=row.version,
        request=row.request,
    )
