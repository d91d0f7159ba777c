"""Rows of the audit log."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_shared.database.rows import JsonObject


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record about to be written."""

    id: UUID
    project: str | None
    actor: str
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject: str
    subject_kind: str
    subject_id: str | None
    detail: JsonObject
    changes: list[JsonObject]
    omitted_changes: int
    address: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A change, a run request, or a refusal; records of earlier releases lack what may be None."""

    id: UUID
    at: datetime
    actor: str
    actor_kind: str | None
    actor_id: UUID | None
    action: str
    subject: str
    subject_kind: str | None
    subject_id: str | None
    detail: JsonObject
    changes: tuple[JsonObject, ...]
    omitted_changes: int
    address: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records are wanted."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """Who did what, and when."""

    actor: str
    at: datetime
    action: str
    subject: str
