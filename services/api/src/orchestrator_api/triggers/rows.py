"""Rows of triggers, and of what the trigger-watcher knows about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.http.conditional import entity_tag
from orchestrator_shared.database.rows import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSpec:
    """The trigger to save."""

    tables: Sequence[str]
    cool_down_seconds: int = 0
    mode: str = "ignore"
    enabled: bool = True
    allow_self_trigger: bool = False

    @property
    def rules(self) -> Mapping[str, object]:
        """Everything except the tables."""
        names = ("enabled", "cool_down_seconds", "mode", "allow_self_trigger")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrigger(TriggerSpec):
    """A trigger as it was saved, with its tables as seen from its project."""

    tables: tuple[str, ...]
    id: UUID
    orchestration: str
    name: str
    version: int
    tables_ready: int
    """How many of the tables have an update that counts and that no run has used."""

    @property
    def etag(self) -> str:
        """Not of the version, which also counts switches of the orchestration."""
        return entity_tag(self.id, self.rules, self.tables)


@dataclass(frozen=True, slots=True)
class TouchedTrigger:
    """A trigger that changed because a bucket was shared or is no longer shared."""

    id: UUID
    orchestration: str
    name: str
    was_enabled: bool = False


@dataclass(frozen=True, slots=True)
class SharedBucket:
    """A bucket of another project."""

    project: str
    bucket: str


@dataclass(frozen=True, slots=True)
class StoredDisposition:
    """What happened to one table update; `table` is as seen from the trigger's project."""

    table: str
    project: str
    table_name: str
    seq: int
    disposition: str
    at: datetime
    job_id: UUID | None
    number: int | None
    """Of the run that it was for, once that is accepted."""
    event_id: str | None
    source: str | None
    deliveries: int | None


@dataclass(frozen=True, slots=True)
class TriggerState:
    """The trigger-watcher's state of a trigger."""

    pending_job_id: UUID | None
    last_started_at: datetime | None


@dataclass(frozen=True, slots=True)
class TableCount:
    """What was counted for a table; None until the watcher has read the trigger with it."""

    table_project: str
    table_name: str
    counted: int | None
    used: int | None
    counted_at: datetime | None
    last_heard_at: datetime | None
    ready_since: datetime | None
    """When the first update was heard that counts and that no run has used."""
    added_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecentUpdates:
    """The newest updates of a table, oldest first."""

    table_project: str
    table_name: str
    heard: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class QuietTable:
    """A table that a trigger waits for, and that may be late."""

    orchestration: str
    name: str
    """Of the orchestration."""
    trigger: str
    table_project: str
    table_name: str


@dataclass(frozen=True, slots=True)
class StoredTriggerFire:
    """A run that the trigger requested, with its tables as the watcher wrote them."""

    generation: int
    at: datetime
    job_id: UUID
    tables: tuple[JsonObject, ...]
    started_at: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True)
class FullRun:
    """A run of all tasks of the orchestration."""

    started_at: datetime
    number: int
    origin: str


@dataclass(frozen=True, slots=True)
class RunOfFire:
    """The state of the run that a trigger requested."""

    number: int | None
    status: str
    message: str | None
    finished_at: datetime | None
    stop_requested_by: str | None


@dataclass(frozen=True, slots=True)
class TriggerHistory:
    """When it was created, when it was reset, and since when its updates do not count."""

    created_at: datetime
    reset_at: datetime | None
    off_since: datetime | None
    orchestration_enabled: bool
    orchestration_deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditNote:
    """Who did something, and why."""

    actor: str
    reason: str | None
