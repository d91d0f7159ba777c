"""Rows that several statements of the engine return: jobs that changed, and what is published about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared.domain.statuses import JobStatus


class Changed(Protocol):
    """A job that changed, as `jobs.changed` announces it."""

    @property
    def id(self) -> UUID: ...
    @property
    def project(self) -> str: ...
    @property
    def revision(self) -> int: ...


class Transitioned(Changed, Protocol):
    """A job that has a new status."""

    @property
    def kind(self) -> str: ...
    @property
    def status(self) -> JobStatus: ...


@dataclass(frozen=True, slots=True)
class TransitionedJob:
    """A job that became ready, or that was created to wait."""

    id: UUID
    project: str
    kind: str
    status: JobStatus
    revision: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job that was accepted, started or ended: with the fields that messages about runs carry."""

    id: UUID
    lane_id: int
    seq: int
    project: str
    component: str
    configuration: str
    kind: str
    status: JobStatus
    origin: str
    parent_id: UUID | None
    root_id: UUID
    trigger_id: UUID | None
    schedule_id: UUID | None
    revision: int
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    full_run: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun(JobRow):
    """A run that has just started."""

    seconds_waiting: float
    """How long it was due before its lane was free."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job whose result was written: it ended, or it will be tried again."""

    id: UUID
    lane_id: int
    kind: str
    status: JobStatus
    project: str
    parent_id: UUID | None
    task_id: str | None
    phase: int | None
    revision: int
    output_tables: Sequence[dict[str, Any]]
    finished_at: datetime | None
    chain_length: int
    frees_its_lane: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildJob(ClaimedJob):
    """The job of a task, just created; this replica owns it only if it is `processing`."""

    kind: str
    status: JobStatus

    @property
    def is_claimed(self) -> bool:
        """Whether this replica may begin it."""
        return self.status is JobStatus.PROCESSING


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job that this replica owns according to the database."""

    id: UUID
    lane_id: int
    run_id: UUID | None
    phase: int | None
    epoch: int
