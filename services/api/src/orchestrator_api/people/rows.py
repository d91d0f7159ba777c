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
class Credentials:
    """What decides whether someone may sign in."""

    id: UUID
    email: str
    password_hash: str | None
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries to sign in to one account."""

    failures: int
    wait_seconds: float
    """Until the next try; 0 or less means now."""
    is_old: bool
    """The last try was so long ago that it no longer counts."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A browser's session, without its secret."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session about to be stored, for a person whose password is still the one that was checked."""

    id: UUID
    person_id: UUID
    password_hash: str
    secret_hash: bytes
    address: str
    user_agent: str


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
