"""Rows of people and members."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.permissions import Role


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    id: UUID
    email: str
    name: str
    is_administrator: bool
    disabled_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person and their role in a project."""

    person_id: UUID
    email: str
    name: str
    role: Role
    may_run: bool
    disabled_at: datetime | None
    created_at: datetime
