"""Rows of known tables and of shares."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HeardTable:
    """A table for which updates were heard."""

    project: str
    name: str
    updates: int
    last_heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class SharedBucket:
    """A bucket, and a project with which it is shared."""

    bucket: str
    shared_with: str


@dataclass(frozen=True, slots=True)
class Share:
    """A project with which a bucket is shared."""

    shared_with: str
    created_at: datetime
    triggers: int = 0
    """How many enabled triggers it has on tables of the bucket."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of the project, or one that another project shares with it."""

    project: str
    bucket: str
    tables: int
    last_heard_at: datetime | None
    shared_at: datetime | None
    shared_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """A trigger of the project on a table."""

    project: str
    orchestration: str
    trigger: str
    trigger_id: UUID
    enabled: bool


@dataclass(frozen=True, slots=True)
class ListenersElsewhere:
    """How many triggers another project has on a table."""

    project: str
    triggers: int
