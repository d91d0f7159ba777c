"""What the database has of triggers, and what the trigger-watcher knows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_shared.database.rows import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerWish:
    """What a trigger shall be."""

    tables: Sequence[str]
    cool_down_seconds: int = 0
    mode: str = "ignore"
    enabled: bool = True
    allow_self_trigger: bool = False

    @property
    def rules(self) -> Mapping[str, object]:
        """All but the tables."""
        names = ("enabled", "cool_down_seconds", "mode", "allow_self_trigger")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrigger(TriggerWish):
    """A trigger as it was saved; its tables as seen from its project."""

    tables: tuple[str, ...]
    id: UUID
    orchestration: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class TouchedTrigger:
    """A trigger that the sharing of a bucket has changed."""

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
    """What became of one table update; `table` as seen from the trigger's project."""

    table: str
    project: str
    table_name: str
    seq: int
    disposition: str
    at: datetime
    job_id: UUID | None
    event_id: str | None
    source: str | None
    deliveries: int | None


@dataclass(frozen=True, slots=True)
class TriggerState:
    """What the trigger-watcher has of a trigger that it knows."""

    pending_job_id: UUID | None
    last_started_at: datetime | None


@dataclass(frozen=True, slots=True)
class TableCount:
    """What was counted of a table; None until the watcher has seen the trigger with it."""

    table_project: str
    table_name: str
    counted: int | None
    used: int | None
    counted_at: datetime | None
    last_heard_at: datetime | None
    added_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredTriggerFire:
    """A run that the trigger asked for; its tables as the watcher wrote them."""

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
    """How the run stands that a trigger asked for."""

    number: int | None
    status: str
    message: str | None
    finished_at: datetime | None
    stop_requested_by: str | None


@dataclass(frozen=True, slots=True)
class TriggerHistory:
    """When it was made and reset, and since when updates do not count for it."""

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
