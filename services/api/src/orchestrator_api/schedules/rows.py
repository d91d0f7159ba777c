"""Rows of schedules and their fires."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from orchestrator_api.http.conditional import entity_tag
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.schedule_words import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """The schedule to save."""

    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = "UTC"
    enabled: bool = True
    overlap: str = "one_waiting"
    misfire: str = "fire_once"
    catch_up_seconds: int = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule(ScheduleSpec):
    """A schedule as it was saved, and its next fire."""

    id: UUID
    orchestration: str
    name: str
    version: int
    updated_at: datetime
    next_at: datetime | None

    @property
    def etag(self) -> str:
        """Not of the version, which also counts switches of the orchestration."""
        return entity_tag(self.id, columns_of(self.spec))

    @property
    def words(self) -> str | None:
        return words_of(self.cron, self.every_seconds)

    @property
    def spec(self) -> ScheduleSpec:
        """What would save it as it is."""
        return ScheduleSpec(**{each.name: getattr(self, each.name) for each in fields(ScheduleSpec)})

    def matches(self, spec: ScheduleSpec) -> bool:
        """Whether saving the spec would change nothing."""
        return columns_of(spec).items() <= columns_of(self).items()


@dataclass(frozen=True, slots=True)
class MissedSchedule:
    """An enabled schedule that has not fired when it should have."""

    orchestration: str
    name: str
    """Of the orchestration."""
    schedule: str
    timezone: str
    since: datetime
    """The newest missed fire, or the one that is overdue."""
    fires: int
    is_overdue: bool
    """The scheduler has not decided about the fire yet."""


@dataclass(frozen=True, slots=True)
class StoredFire:
    """One recorded fire."""

    fire_key: str
    scheduled_for: datetime
    at: datetime
    outcome: str
    job_id: UUID | None
    version: int
    number: int | None
    """Of its run, once it is accepted."""
    status: str | None
    """Of its run, or `merged` or `skipped`."""
    other_number: int | None
    """Of the run that it was merged into, or that was still going."""
