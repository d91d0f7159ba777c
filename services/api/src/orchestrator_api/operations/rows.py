"""What the database has of callbacks."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """The attempt that a callback's address was given out for."""

    project: str
    job_id: UUID
    attempt: int
