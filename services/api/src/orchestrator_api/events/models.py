"""The data of each server-sent event."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output
from orchestrator_api.runs.models import LogChunk


class JobEvent(Output):
    """`event: job`: what a job is now, without its parameters and outputs."""

    id: UUID
    revision: int = Field(description="Grows with every change of the job; ignore an event with a lower one.")
    number: int | None = Field(description="The run's own number.")
    project: str
    component: str
    configuration: str
    kind: str
    status: str
    origin: str
    requested_by: str | None
    parent_id: UUID | None
    root_id: UUID
    phase: int | None
    task_id: str | None
    attempt: int
    max_attempts: int
    scheduled_for: datetime
    requested_at: datetime
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    version: int | None
    message: str | None = Field(
        description="Null for the jobs of components if the token may see only the runs that it started."
    )
    error_kind: str | None
    trigger_id: UUID | None
    schedule_id: UUID | None
    retry_of: UUID | None


class JudgedTrigger(Output):
    """A trigger for which something became of an update, or that was used, saved or reset."""

    id: UUID
    orchestration: str


class ReadinessEvent(Output):
    """`event: readiness`: tables were updated, or triggers judged: load again what you show of them."""

    tables: list[str] = Field(description="Of the project, with new updates.")
    triggers: list[JudgedTrigger] = Field(description="Of the project.")


class LogEvent(LogChunk):
    """`event: log`: a piece of the job's log; the event's id is `attempt:seq`."""


class ResetEvent(Output):
    """`event: reset`: load again what you show; every later change follows as an event."""

    reason: Literal["opened", "away_too_long", "too_slow", "too_many_changes"] = Field(
        description="`opened`: a new stream. `away_too_long`: the events since `Last-Event-ID` are not kept. "
        "`too_slow`: you read more slowly than events came. `too_many_changes`: reading once is cheaper."
    )


class EndEvent(Output):
    """`event: end`: the job is over and nothing follows; do not connect again."""

    job_id: UUID
    status: str


ProjectEvents = JobEvent | ReadinessEvent | ResetEvent
JobEvents = JobEvent | ResetEvent | EndEvent
LogEvents = LogEvent | ResetEvent | EndEvent
