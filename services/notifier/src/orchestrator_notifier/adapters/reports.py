"""Reads the contents of a mail when it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_notifier.domain.report import FailedTask, MissedReport, RunReport, Start, deepest
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import EndReason, JobStatus, NotificationEvent, Origin

MAX_TASKS = 50
MAX_LOGS = 3
MAX_REPEATED = 11
"""One more than is shown, to know whether there are more."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with the names around it, and the root that it is nested in."""

    id: UUID
    number: int
    project: str
    project_name: str | None
    orchestration: str
    name: str | None
    status: JobStatus
    origin: Origin
    requested_by: str | None
    stop_requested_by: str | None
    scheduled_for: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str | None
    end_reason: EndReason | None
    version: int | None
    schedule: str | None
    trigger: str | None
    root_id: UUID | None
    root_number: int | None
    root_orchestration: str | None
    root_origin: Origin | None
    root_schedule: str | None
    root_trigger: str | None
    root_requested_by: str | None

    @property
    def root(self) -> tuple[UUID, str, int] | None:
        """None for a run that is not nested."""
        if self.root_id is None or self.root_id == self.id:
            return None
        return self.root_id, self.root_orchestration or "", self.root_number or 0

    @property
    def start(self) -> Start:
        """Who or what started the root of it."""
        if self.root is None or self.root_origin is None:
            return Start(self.origin, self.schedule, self.trigger, self.requested_by)
        return Start(self.root_origin, self.root_schedule, self.root_trigger, self.root_requested_by)


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A task that did not end well, at any depth; `total` counts all of them."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    phase: str
    component: str
    configuration: str
    status: JobStatus
    continue_on_failure: bool
    job_id: UUID | None
    message: str | None
    attempt: int | None
    started_at: datetime | None
    finished_at: datetime | None
    total: int

    @property
    def task(self) -> FailedTask:
        return FailedTask(
            path=self.path,
            names=self.names,
            phase=self.phase,
            what=f"{self.component}/{self.configuration}",
            status=self.status,
            continued=self.continue_on_failure,
            job_id=self.job_id,
            message=self.message or "",
            attempts=self.attempt or 0,
            started_at=self.started_at,
            finished_at=self.finished_at,
            is_run=self.component == ORCHESTRATOR,
        )


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many tasks of a run have a status."""

    status: str
    count: int


@dataclass(frozen=True, slots=True)
class NamedSchedule:
    """A schedule's name and timing."""

    name: str
    cron: str | None
    every_seconds: int | None
    timezone: str

    @property
    def rhythm(self) -> str:
        return f"{self.cron} ({self.timezone})" if self.cron else f"every {self.every_seconds} s"


class ReportStore(Store):
    """Several short reads; a finished run changes no more."""

    queries = Queries.load(__package__, "reports.sql")

    async def run(self, *, job_id: UUID) -> RunReport | None:
        """None if the run was deleted."""
        row = await self._one(RunRow, "run", job_id=job_id)
        if row is None:
            return None
        failed = await self._many(FailedRow, "failed_tasks", job_id=job_id, limit=MAX_TASKS)
        counts = await self._many(StatusCount, "task_counts", job_id=job_id)
        tasks = await self._with_logs(deepest([each.task for each in failed]))
        return RunReport(
            id=row.id,
            number=row.number,
            project=row.project,
            project_name=row.project_name or row.project,
            orchestration=row.orchestration,
            name=row.name or row.orchestration,
            status=row.status,
            start=row.start,
            stopped_by=row.stop_requested_by,
            scheduled_for=row.scheduled_for,
            started_at=row.started_at,
            finished_at=row.finished_at,
            message=row.message or "",
            end_reason=row.end_reason,
            version=row.version,
            root=row.root,
            failed=tasks,
            failed_count=len(tasks) + (failed[0].total - len(failed) if failed else 0),
            counts={each.status: each.count for each in counts},
            to_repeat=await self._column(str, "tasks_to_repeat", job_id=job_id, limit=MAX_REPEATED),
        )

    async def _with_logs(self, tasks: list[FailedTask]) -> list[FailedTask]:
        made = []
        for index, task in enumerate(tasks):
            if index < MAX_LOGS and task.job_id is not None and not task.is_run:
                texts = await self._column(str, "log_tail", job_id=task.job_id)
                task = replace(task, log="".join(reversed(texts)))
            made.append(task)
        return made

    async def missed(
        self, *, event: str, project: str, orchestration: str, detail: Mapping[str, Any]
    ) -> MissedReport:
        """The names of a schedule or trigger, with the content of the fact."""
        if event == NotificationEvent.SCHEDULE_MISSED:
            schedule = await self._one(NamedSchedule, "schedule", id=UUID(detail["schedule_id"]))
            return MissedReport(
                project=project,
                orchestration=orchestration,
                source=schedule.name if schedule else "(deleted)",
                rhythm=schedule.rhythm if schedule else "",
                count=detail["count"],
                first=datetime.fromisoformat(detail["first"]),
                last=datetime.fromisoformat(detail["last"]),
            )
        name = await self._value(str, "trigger", id=UUID(detail["trigger_id"]))
        return MissedReport(
            project=project,
            orchestration=orchestration,
            source="(deleted)" if name is None else name,
            last=datetime.fromisoformat(detail["deadline"]),
            late_tables=detail["late_tables"],
            late_count=detail["late_count"],
        )
