"""Rows of run requests and jobs, and how a job is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orchestrator_api.runs.job_times import Waits
from orchestrator_api.runs.origins import RanAs, UpdateUsed
from orchestrator_api.runs.overlaps import Overlap
from orchestrator_api.runs.waiting import Waiting, WaitingFacts
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.ids import ORCHESTRATOR


@dataclass(frozen=True, slots=True)
class Job:
    """One execution of one configuration, or a request for one that no runner has accepted yet."""

    id: UUID
    project: str
    component: str
    configuration: str
    kind: str
    status: str
    origin: str
    root_id: UUID
    scheduled_for: datetime
    requested_at: datetime
    number: int | None = None
    requested_by: str | None = None
    parent_id: UUID | None = None
    phase: int | None = None
    task_id: str | None = None
    attempt: int = 0
    max_attempts: int = 1
    previous_success: datetime | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    ready_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    version: int | None = None
    message: str | None = None
    error_kind: str | None = None
    output_tables: tuple[JsonObject, ...] = ()
    trigger_id: UUID | None = None
    schedule_id: UUID | None = None
    fire_key: str | None = None
    retry_of: UUID | None = None
    parameters: JsonObject = field(default_factory=dict)
    selection: tuple[str, ...] | None = None
    listed_at: datetime | None = None
    """Its position in the list it was read for."""
    waiting: Waiting | None = None
    """Why it waits; computed, not stored."""
    overlap: Overlap | None = None
    """What happened to a request that overlapped another run; computed, not stored."""

    @property
    def is_run(self) -> bool:
        """Whether this is a run of an orchestration."""
        return self.component == ORCHESTRATOR

    @staticmethod
    def of_overlap(overlap: Overlap) -> "Job":
        """The request shown as a job, although it never became one."""
        return Job(
            id=overlap.job_id,
            project=overlap.project,
            component=ORCHESTRATOR,
            configuration=overlap.configuration,
            kind="run",
            status=overlap.decision,
            origin="schedule",
            root_id=overlap.job_id,
            scheduled_for=overlap.scheduled_for,
            requested_at=overlap.at,
            finished_at=overlap.at,
            message=overlap.detail,
            schedule_id=overlap.schedule_id,
            fire_key=overlap.fire_key,
            overlap=overlap,
        )


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of a component's job."""

    attempt: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    message: str | None
    due_at: datetime | None
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class RetryRow:
    """A retry of a job."""

    id: UUID
    number: int | None
    status: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class JobDetails(Job):
    """One job with everything that belongs to it."""

    parameters_as_run: JsonObject | None = None
    attempts: Sequence[AttemptRow] = ()
    waits: Waits | None = None
    usual_duration_seconds: float | None = None
    expected_end: datetime | None = None
    retries: Sequence[RetryRow] = ()
    ran_as: RanAs | None = None
    updates_used: Sequence[UpdateUsed] = ()
    tables_written: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A job's place in a list; if it is no match, only the place to continue from."""

    id: UUID
    listed_at: datetime
    is_match: bool


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A run about to be requested."""

    job_id: UUID
    project: str
    component: str
    configuration: str
    origin: str
    requested_by: str
    token_id: UUID
    version: int | None
    tasks: Sequence[str] | None
    parameters: JsonObject
    scheduled_for: datetime
    requested_at: datetime
    retry_of: UUID | None
    task_versions: Mapping[str, Mapping[str, int]] | None
    idempotency_id: UUID | None
    request_digest: bytes | None


@dataclass(frozen=True, slots=True)
class KeyedUpdates:
    """Table updates that were published under an idempotency key of their caller."""

    request_digest: bytes
    update_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A run that was requested under an idempotency key of its caller."""

    job_id: UUID
    parameters: JsonObject
    request_digest: bytes


@dataclass(frozen=True, slots=True)
class WaitingJob(WaitingFacts):
    """A job that waits, with the facts that explain it."""

    id: UUID


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase of a run."""

    index: int
    name: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of a run, and its job if it was started."""

    phase: int
    task_id: str
    name: str
    component: str
    configuration: str
    status: str
    continue_on_failure: bool
    job_id: UUID | None
    job_status: str | None
    job_number: int | None
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int | None
    message: str | None
    error_kind: str | None
    tables_written: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TaskVersion:
    """The version of its configuration that a task ran; `orchestration` may be a nested one."""

    orchestration: str
    task_id: str
    version: int | None


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task of a run ended."""

    task_id: str
    status: str


@dataclass(frozen=True, slots=True)
class TaskComponent:
    """The component of a run's task."""

    task_id: str
    component: str


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A chunk of a job's log.

    `total` is the number of chunks within the limit, before the limit on their size was applied.
    """

    attempt: int
    seq: int
    at: datetime
    stream: str
    text: str
    total: int


@dataclass(frozen=True, slots=True)
class LogPlace:
    """How many lines a log has, and the chunk from which to read on; None for each at its beginning."""

    lines: int
    attempt: int | None
    seq: int | None
    first_line: int | None
    """The line that begins in the chunk, or goes on there."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that failed, and its place in its run, if it has one."""

    id: UUID
    number: int
    component: str
    configuration: str
    attempt: int
    version: int | None
    error_kind: str
    message: str | None
    finished_at: datetime
    run_id: UUID | None
    run_number: int | None
    orchestration: str | None
    phase: str | None
    task_id: str | None
    task_name: str | None
    failed: int
    """How many jobs failed, including this one."""


@dataclass(frozen=True, slots=True)
class EarlierJob:
    """An earlier job of the same configuration, and the run that it belonged to."""

    id: UUID
    number: int
    status: str
    error_kind: str | None
    message: str | None
    """Only of those that failed."""
    version: int | None
    finished_at: datetime | None
    run_id: UUID | None
    run_number: int | None
    orchestration: str | None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of an orchestration."""

    configuration: str
    id: UUID
    number: int
    status: str
    origin: str
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many of the newest runs of an orchestration there are, and how they ended."""

    total: int
    successful: int
    failed: int

    @property
    def more(self) -> bool:
        """Whether there may be older ones."""
        return self.total >= MOST_COUNTED


@dataclass(frozen=True, slots=True)
class LastJob:
    """The newest job of a configuration."""

    component: str
    configuration: str
    id: UUID
    status: str
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnsolvedFailure:
    """The newest failed run of an orchestration, after which none went well."""

    id: UUID
    orchestration: str
    name: str
    number: int
    finished_at: datetime
    message: str | None


@dataclass(frozen=True, slots=True)
class FailedTask:
    """The task that failed first in a run."""

    id: UUID
    """Of the run."""
    task_id: str
    name: str
    message: str | None


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that waits or works, and the means of the successful ones before it."""

    id: UUID
    orchestration: str
    name: str
    number: int
    status: str
    accepted_at: datetime
    started_at: datetime | None
    runs: int
    waited_seconds: float | None
    ran_seconds: float | None


@dataclass(frozen=True, slots=True)
class UsualDuration:
    """The average duration of the last successful jobs of a configuration."""

    component: str
    configuration: str
    seconds: float


@dataclass(frozen=True, slots=True)
class UsualPhase:
    """The average duration of the phases with this name in the last successful runs."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table that a job of a run wrote."""

    name: str
