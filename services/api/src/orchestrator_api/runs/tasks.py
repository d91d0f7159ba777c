"""The phases and tasks of a run, with the jobs of those that were started."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from orchestrator_api.runs.rows import PhaseRow, TaskRow
from orchestrator_api.runs.waiting import Waiting


@dataclass(frozen=True, slots=True)
class TaskJob:
    """The job of a task."""

    id: UUID
    number: int | None
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    message: str | None
    error_kind: str | None
    waiting: Waiting | None
    tables_written: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RunTask:
    """A task of a run, and its job if it was started."""

    id: str
    name: str
    component: str
    configuration: str
    status: str
    continue_on_failure: bool
    job: TaskJob | None
    usual_duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RunPhase:
    """A phase of a run."""

    index: int
    name: str
    started_at: datetime | None
    finished_at: datetime | None
    tasks: Sequence[RunTask]
    usual_duration_seconds: float | None = None


def phases_of(phases: Sequence[PhaseRow], tasks: Sequence[tuple[int, RunTask]]) -> list[RunPhase]:
    """The phases with their tasks; each task includes the number of its phase."""
    by_phase: defaultdict[int, list[RunTask]] = defaultdict(list)
    for index, task in tasks:
        by_phase[index].append(task)
    return [
        RunPhase(each.index, each.name, each.started_at, each.finished_at, by_phase[each.index])
        for each in phases
    ]


def task_of(row: TaskRow, reasons: Mapping[UUID, Waiting]) -> RunTask:
    """The task as it is shown."""
    return RunTask(
        id=row.task_id,
        name=row.name,
        component=row.component,
        configuration=row.configuration,
        status=row.status,
        continue_on_failure=row.continue_on_failure,
        job=_job_of(row, reasons),
    )


def _job_of(row: TaskRow, reasons: Mapping[UUID, Waiting]) -> TaskJob | None:
    if row.job_id is None:
        return None
    return TaskJob(
        id=row.job_id,
        number=row.job_number,
        status=row.job_status or "",
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempt=row.attempt or 0,
        message=row.message,
        error_kind=row.error_kind,
        waiting=reasons.get(row.job_id),
        tables_written=row.tables_written,
    )


def with_usual(
    phases: Sequence[RunPhase], of_phases: Mapping[str, float], of_tasks: Mapping[tuple[str, str], float]
) -> list[RunPhase]:
    """The phases and tasks with how long they usually take, as far as that is known."""
    return [
        replace(
            phase,
            usual_duration_seconds=of_phases.get(phase.name),
            tasks=[
                replace(task, usual_duration_seconds=of_tasks.get((task.component, task.configuration)))
                for task in phase.tasks
            ],
        )
        for phase in phases
    ]
