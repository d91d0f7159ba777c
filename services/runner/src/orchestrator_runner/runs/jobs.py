"""A job that this replica owns, and the result it reports."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from orchestrator_runner.runs.lifecycle import Attempts, Ending
from orchestrator_shared.domain.statuses import JobStatus


class Row(Protocol):
    """A row of a query, by column."""

    def __getitem__(self, column: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class ClaimedJob:
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
    attempt: int
    attempts: Attempts
    timeout_seconds: float | None
    parameters: Mapping[str, Any]
    scheduled_for: datetime
    previous_success: datetime | None
    executor: str | None
    """None if there is no such component."""
    safe_to_rerun: bool
    component_saved_at: datetime | None
    has_state: bool
    token_refusal: str | None = None
    """Why the token that the job runs as does not allow it: `revoked` or `component`; else None."""
    handle: Mapping[str, Any] | None = None
    """Only for an adopted job: how to find the run that its attempt started elsewhere; encrypted."""
    callback_hash: bytes | None = None
    ran_seconds: float = 0.0
    next_log_seq: int = 1

    @classmethod
    def from_row(cls, row: Row) -> "ClaimedJob":
        """Build it from a row of the query `claim`."""
        return cls(
            id=row["id"],
            lane_id=row["lane_id"],
            project=row["project"],
            component=row["component"],
            configuration=row["configuration"],
            version=row["version"],
            run_id=row["parent_id"],
            root_id=row["root_id"],
            phase=row["phase"],
            task_id=row["task_id"],
            epoch=row["epoch"],
            attempt=row["attempt"],
            attempts=attempts_of(row),
            timeout_seconds=row["timeout_seconds"],
            parameters=row["parameters"],
            scheduled_for=row["scheduled_for"],
            previous_success=row["previous_success"],
            executor=row["executor"],
            safe_to_rerun=row["after_crash"] == "rerun",
            component_saved_at=row["component_saved_at"],
            has_state=row["has_state"],
            token_refusal=row["token_refusal"],
        )

    @classmethod
    def from_adopted(cls, row: Row) -> "ClaimedJob":
        """Build it from a row of the query `adopt`."""
        return replace(
            cls.from_row(row),
            handle=row["handle"],
            callback_hash=row["callback_hash"],
            ran_seconds=row["ran_seconds"],
            next_log_seq=row["next_log_seq"],
        )


def attempts_of(row: Row) -> Attempts:
    """How often the job of this row was started, and how often it may be."""
    return Attempts(
        made=row["attempt"],
        free=row["free_attempts"],
        most=row["max_attempts"],
        delay_seconds=row["attempt_delay_seconds"],
        backoff=row["attempt_backoff"],
        retry_on=row["retry_on"],
    )


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
