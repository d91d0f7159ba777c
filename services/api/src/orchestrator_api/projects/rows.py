"""Rows of projects and their variables."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredProject:
    """The tenant that owns everything else."""

    id: str
    name: str
    parallel_limit: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable; a secret's value is encrypted."""

    name: str
    value: str
    secret: bool
    updated_at: datetime
