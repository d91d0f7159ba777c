"""What the database has of tables heard of, and of shares."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HeardTable:
    """A table that updates were heard of."""

    project: str
    name: str
    updates: int
    last_heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """A project that a bucket is shared with."""

    shared_with: str
    created_at: datetime
