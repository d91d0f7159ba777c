"""Rows of known tables and of shares."""

from dataclasses import dataclass
from datetime import datetime


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
