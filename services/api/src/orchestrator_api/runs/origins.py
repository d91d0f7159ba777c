"""What made a run start, and whose rights its jobs have."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class UpdateUsed:
    """One of the table updates that a trigger asked for a run because of."""

    table: str
    """As seen from the project."""
    seq: int
    event_id: str | None
    """None once the update is no longer kept."""
    source: str | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class RanAs:
    """Whose rights a job has."""

    kind: Literal["orchestration", "token", "person"]
    name: str
    """The id of the orchestration, the name of the token, or the person's address."""
