"""A job that this replica owns, and the result it reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_runner.runs.lifecycle import Attempts, Ending
from orchestrator_shared.domain.statuses import JobStatus


@dataclass(frozen=True, slots=True)
class Attempted:
    """How often a job was started and how often it may be, as stored in its columns."""

    attempt: int
    free_attempts: int
    max_attempts: int
    attempt_delay_seconds: float
    attempt_backoff: float
    retry_on: str

    @property
    def attempts(self) -> Attempts:
        """The same, for the decision whether another attempt follows."""
        return Attempts(
            made=self.attempt,
            free=self.free_attempts,
            most=self.max_attempts,
            delay_seconds=self.attempt_delay_seconds,
            backoff=self.attempt_backoff,
            retry_on=self.retry_on,
        )


@dataclass(frozen=True, slots=True)
class ClaimedJob(Attempted):
    """A component job that this replica owns until its lease or the job ends."""

    id: UUID
    lane_id: int
    project: str
    component: str
    configuration: str
    version: int | None
    run_id: UUID | None
    root_id: UUID
    phase: int | None
    task_id: str | None
    epoch: int
    timeout_seconds: float | None
    parameters: Mapping[str, Any]
    scheduled_for: datetime
    previous_success: datetime | None
    revision: int
    executor: str | None
    """None if there is no such component."""
    safe_to_rerun: bool
    component_saved_at: datetime | None
    has_state: bool
    token_refusal: str | None = None
    """Why the token that the job runs as does not allow it: `revoked` or `component`; else None."""
    seconds_waiting: float = 0.0
    """How long it was due before its lane was free."""
    seconds_ready: float = 0.0
    """How long it was ready before it was claimed."""
    handle: Mapping[str, Any] | None = None
    """Only for an adopted job: how to find the run that its attempt started elsewhere; encrypted."""
    callback_hash: bytes | None = None
    ran_seconds: float = 0.0
    next_log_seq: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one attempt, to be written if the epoch still matches."""

    job_id: UUID
    epoch: int
    lane_id: int
    run_id: UUID | None
    phase: int | None
    ending: Ending
    output_tables: tuple[Mapping[str, Any], ...] = ()
    state: Mapping[str, Any] | None = None

    @property
    def ends_task(self) -> tuple[UUID, int] | None:
        """The run and phase of the task that this ends; None if another attempt follows."""
        if self.run_id is None or self.phase is None:
            return None
        goes_on = self.ending.status in (JobStatus.WAITING, JobStatus.READY)
        return None if goes_on else (self.run_id, self.phase)

    @classmethod
    def given_back(cls, job: "ClaimedJob", reason: str) -> "Result":
        """The result of a job that was not started: it is ready again, as if it had never been claimed."""
        ending = Ending(JobStatus.READY, reason)
        return cls(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending)
