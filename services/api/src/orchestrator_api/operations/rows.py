"""Rows of callbacks."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """The attempt for which a callback address was given out."""

    project: str
    job_id: UUID
    attempt: int
