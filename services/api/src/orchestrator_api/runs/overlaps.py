"""Requests that the overlap policy merged or skipped, shown as jobs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

DECIDED = frozenset({"merged", "skipped"})
"""The statuses shown for such requests; no real job has them."""


@dataclass(frozen=True, slots=True)
class OtherRun:
    """The run that a request overlapped."""

    id: UUID
    number: int | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """A request that was merged into a waiting run, or skipped."""

    job_id: UUID
    at: datetime
    decision: str
    into_job_id: UUID | None
    into_number: int | None
    into_status: str | None
    project: str
    configuration: str
    schedule_id: UUID | None
    schedule: str | None
    fire_key: str | None
    scheduled_for: datetime

    @property
    def other(self) -> OtherRun | None:
        """The run that it overlapped."""
        if self.into_job_id is None:
            return None
        return OtherRun(self.into_job_id, self.into_number, self.into_status)

    @property
    def detail(self) -> str:
        """What happened to the request, in a sentence."""
        other = f"run #{self.into_number}" if self.into_number is not None else "another run"
        if self.decision == "merged":
            return f"was merged into {other}, which had not started yet (overlap: one_waiting)"
        return f"was not run, because {other} had not finished (overlap: skip)"
