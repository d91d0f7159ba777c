"""Rows of changed jobs and new log text."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Revision:
    """That a job changed."""

    project: str
    id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class JobChange:
    """A job as it is after a change; `at` is the instant until which all changes are included."""

    at: datetime
    id: UUID
    revision: int
    number: int | None
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
    message: str | None
    error_kind: str | None
    trigger_id: UUID | None
    schedule_id: UUID | None
    retry_of: UUID | None
    started_by: UUID | None
    """The token that started the run at the top."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A table with a new update, or a trigger that selects such a table."""

    project: str
    table_name: str | None
    trigger_id: UUID | None
    orchestration: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A request that joined another run or was skipped, so no job comes of it."""

    job_id: UUID
    decision: str


@dataclass(frozen=True, slots=True)
class LogNews:
    """New text of the log at the cursor with this number, or only the status of its job."""

    cursor: int
    status: str | None
    """None: there is no such job."""
    is_over: bool
    attempt: int | None
    seq: int | None
    at: datetime | None
    stream: str | None
    text: str | None
    is_cut: bool
    """More follows after this part."""
