"""Runs and jobs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from orchestrator_api.http.models import (
    MAX_INT,
    Input,
    Instant,
    JsonObject,
    Output,
    TaskId,
    example,
)
from orchestrator_api.runs.origin_models import RanAsOut, UpdateUsedOut

JobStatusName = Literal[
    "created",
    "waiting",
    "processing",
    "terminating",
    "success",
    "warning",
    "error",
    "cancelled",
    "terminated",
]


def _refuse_job_id(_: object) -> None:
    raise ValueError(
        "job ids are assigned by the server; to make a request safe to repeat, send it with the header "
        "Idempotency-Key"
    )


class Requested(Input):
    """The fields that all job requests share."""

    job_id: Annotated[SkipJsonSchema[None], BeforeValidator(_refuse_job_id)] = Field(
        default=None, exclude=True
    )


class RequestedRun(Requested):
    """The options of all run requests."""

    scheduled_for: Instant | None = Field(default=None, description="Defaults to the time of the request.")
    version: int | None = Field(
        default=None, ge=1, le=MAX_INT, description="Defaults to the current version."
    )
    notify: bool = Field(default=True, description="Send a mail to the person who starts it when it ends.")
    confirm: bool = Field(default=False, description="Run it even if it is disabled.")


class ConfigurationRunIn(RequestedRun):
    """A run to start."""

    model_config = example({"parameters": {"limit": 100}})

    parameters: JsonObject = Field(default_factory=dict, description="Merged over the configuration's.")


class RunIn(RequestedRun):
    """A run of an orchestration to start."""

    model_config = example(
        {
            "tasks": ["csv-extractor/orders"],
            "parameters": {"csv-extractor/orders": {"limit": 100}},
            "notify": False,
        }
    )

    parameters: dict[str, JsonObject] = Field(
        default_factory=dict,
        description="By task id: parameters for this run only, merged over the task's own.",
    )
    tasks: list[TaskId] | None = Field(
        default=None,
        max_length=10_000,
        description="Ids of the tasks to run; defaults to the active ones.",
    )


class RunAccepted(Output):
    """The run was requested; it is visible at once."""

    model_config = example(
        {
            "job_id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
            "status": "created",
            "number": 42,
            "url": "/v1/projects/shop/jobs/0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
        }
    )

    job_id: UUID
    status: str
    number: int | None
    url: str


class RunCountsOut(Output):
    """How many runs an orchestration has, and how they ended; of the newest 1,000."""

    model_config = example({"total": 42, "successful": 37, "failed": 5, "more": False})

    total: int
    successful: int = Field(description="Those that ended with `success` or `warning`.")
    failed: int = Field(description="Those that ended with `error`, or were stopped.")
    more: bool = Field(description="There may be older ones, which are not counted.")


class HolderOut(Output):
    """The job that holds the configuration."""

    id: UUID
    number: int | None
    status: str | None


class WaitingOut(Output):
    """Why a job waits."""

    reason: str
    detail: str
    holder: HolderOut | None
    place: int


class JobOut(Output):
    """One execution of one configuration."""

    model_config = example(
        {
            "id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
            "number": 42,
            "project": "shop",
            "component": "orchestrator",
            "configuration": "campaigns",
            "kind": "orchestration",
            "status": "error",
            "waiting": None,
            "origin": "schedule",
            "requested_by": None,
            "parent_id": None,
            "root_id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
            "phase": None,
            "task_id": None,
            "attempt": 1,
            "max_attempts": 1,
            "scheduled_for": "2026-11-30T04:30:00Z",
            "previous_success": "2026-11-29T04:30:00Z",
            "requested_at": "2026-11-30T04:30:00.214Z",
            "accepted_at": "2026-11-30T04:30:00.262Z",
            "started_at": "2026-11-30T04:30:00.301Z",
            "finished_at": "2026-11-30T04:34:10.887Z",
            "version": 3,
            "message": "failed: csv-extractor/orders",
            "error_kind": "user",
            "output_tables": [],
            "trigger_id": None,
            "schedule_id": "0198e0b7-2f4d-7a10-8c66-51d0a9b3e7f2",
            "fire_key": "2026-11-30T04:30:00Z",
            "retry_of": None,
            "parameters": {},
        }
    )

    id: UUID
    number: int | None = Field(description="The number of the run; null until it is accepted.")
    project: str
    component: str
    configuration: str
    kind: str
    status: str
    waiting: WaitingOut | None = None
    origin: str
    requested_by: str | None
    parent_id: UUID | None
    root_id: UUID
    phase: int | None
    task_id: str | None
    attempt: int
    max_attempts: int
    scheduled_for: datetime
    previous_success: datetime | None
    requested_at: datetime
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    version: int | None
    message: str | None
    error_kind: str | None
    output_tables: list[Any]
    trigger_id: UUID | None
    schedule_id: UUID | None
    fire_key: str | None
    retry_of: UUID | None = None
    parameters: dict[str, Any]


class RetryRef(Output):
    """A retry of the job."""

    id: UUID
    number: int | None
    status: str
    requested_at: datetime


class AttemptOut(Output):
    """One attempt of a component's job."""

    attempt: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    message: str | None


class WaitsOut(Output):
    """How long it has waited, by cause."""

    total_seconds: float
    acceptance_seconds: float = Field(description="From the request until a runner accepted it.")
    configuration_busy_seconds: float = Field(description="For other jobs of the same configuration to end.")
    delay_seconds: float = Field(description="Between attempts: the delay that the task specifies.")
    slot_or_limit_seconds: float = Field(
        description="For a free slot of a runner, or because of the project's limit."
    )
    undivided_seconds: float = Field(
        description="Before earlier attempts, for the configuration or a slot: not recorded by older runners."
    )


class OtherRun(Output):
    """The run that a request overlapped."""

    id: UUID
    number: int | None
    status: str | None


class OverlapOut(Output):
    """A request that the overlap policy merged into a waiting run, or skipped."""

    job_id: UUID
    at: datetime
    decision: Literal["merged", "skipped"]
    detail: str
    other: OtherRun | None = Field(
        description="The run it was merged into, or the run because of which it was skipped."
    )
    schedule_id: UUID | None
    schedule: str | None
    fire_key: str | None
    scheduled_for: datetime


class JobDetail(JobOut):
    """A job with everything that belongs to it. If its status is `merged` or `skipped`, see `overlap`."""

    overlap: OverlapOut | None = None
    parameters_as_run: dict[str, Any] | None = Field(
        default=None,
        description="For a component's job: the parameters of its version with its own merged over them; "
        "secrets are masked, placeholders are not replaced.",
    )
    attempts: list[AttemptOut] = Field(default_factory=list)
    waits: WaitsOut | None = None
    usual_duration_seconds: float | None = Field(
        default=None,
        description="The mean of the last 20 successful jobs, without partial runs; null if there are fewer "
        "than 5.",
    )
    expected_end: datetime | None = Field(
        default=None, description="When it ends if it takes as long as usual; only while it is processing."
    )
    retries: list[RetryRef] = Field(default_factory=list)
    ran_as: RanAsOut | None = Field(default=None, description="Null until it starts.")
    updates_used: list[UpdateUsedOut] = Field(
        default_factory=list,
        description="Of a run that a trigger requested: the update of each table that completed the set.",
    )
    tables_written: list[str] = Field(
        default_factory=list,
        description="What the job, or the jobs of the run and of its nested runs, reported; at most 1,000.",
    )


class VersionNote(Output):
    """A saved version: when, by whom and why."""

    version: int
    saved_at: datetime
    author: str
    note: str


class RetryTask(Output):
    """A task of the version that would be run."""

    id: str
    name: str
    component: str
    configuration: str
    phase: str
    status_before: str | None = Field(description="How it ended; null if the old run did not contain it.")
    selected: bool = Field(description="Whether it would be run.")
    exists: bool = Field(description="Whether its configuration still exists; it cannot be run otherwise.")
    active: bool = Field(description="The stored Active flag.")
    version: int | None = Field(description="The version of its configuration that would be run.")
    version_before: int | None = Field(description="The version of its configuration that ran then.")
    changed: VersionNote | None = Field(
        description="The version that would be run, if it is a newer one than the one that ran then."
    )


class MissingTaskOut(Output):
    """A task of the old run that the version no longer has."""

    id: str
    status_before: str


class RetryPlanOut(Output):
    """What a retry would run; a component's job has no tasks."""

    id: str = Field(description="Send it as `plan_id` to carry out exactly this plan.")
    version: int
    version_before: int | None = Field(description="The version that ran then; null if it never started.")
    changed: VersionNote | None = Field(
        description="The version that would be run, if it is a newer one than the one that ran then."
    )
    tasks: list[RetryTask]
    missing: list[MissingTaskOut]
    usual_duration_seconds: float | None = Field(
        default=None,
        description="How long it would usually take: in each phase its longest task. Null if that of a task "
        "is not known, and for tokens that may only run.",
    )


class RetryIn(Requested):
    """The plan to carry out."""

    model_config = example({"plan_id": "Zm9vYmFyYmF6cXV4", "tasks": ["csv-extractor/orders"]})

    plan_id: str = Field(min_length=1, max_length=100)
    tasks: list[TaskId] | None = Field(
        default=None, max_length=10_000, description="Run these tasks instead of the preselected ones."
    )
    notify: bool = Field(default=True, description="Send a mail to the person who starts it when it ends.")
    confirm: bool = Field(default=False, description="Run it even if it is disabled.")


class TaskJob(Output):
    """The job of a task."""

    id: UUID
    number: int | None
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    message: str | None
    error_kind: str | None
    waiting: WaitingOut | None = None
    tables_written: list[str] = Field(
        default_factory=list, description="What it reported; those of a nested run are with its own tasks."
    )


class RunTaskOut(Output):
    """A task of a run, and its job if it was started."""

    id: str
    name: str
    component: str
    configuration: str
    status: str
    continue_on_failure: bool
    job: TaskJob | None
    usual_duration_seconds: float | None = Field(
        default=None,
        description="Of its configuration: the mean of the last 20 successful jobs, if at least 5.",
    )


class RunPhaseOut(Output):
    """A phase of a run."""

    index: int
    name: str
    started_at: datetime | None
    finished_at: datetime | None
    tasks: list[RunTaskOut]
    usual_duration_seconds: float | None = Field(
        default=None, description="The mean in the last 20 successful, complete runs, if at least 5."
    )


class RunTasksOut(Output):
    """The phases of a run; empty until it starts."""

    phases: list[RunPhaseOut]


class LogChunk(Output):
    """A chunk of a job's log."""

    attempt: int
    seq: int
    at: datetime
    stream: str
    text: str


class LogOut(Output):
    """A part of a job's log."""

    chunks: list[LogChunk]
    next: str | None = Field(description="Send it as `after` to read the next part.")
    finished: bool = Field(description="Whether the job has ended and the log is complete.")


class TerminationOut(Output):
    """The job was asked to stop."""

    job_id: UUID
    status: str
