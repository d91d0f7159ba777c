"""Rows of people and members."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from orchestrator_api.access.permissions import Role
from orchestrator_api.http.conditional import entity_tag
from orchestrator_shared.domain.link_purposes import LinkPurpose


class RoleSource(StrEnum):
    """Who gave a role."""

    MANUAL = "manual"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    id: UUID
    email: str
    name: str
    is_administrator: bool
    disabled_at: datetime | None
    created_at: datetime
    identity_provider: str | None
    """The issuer of the identity that the account is linked to."""

    @property
    def etag(self) -> str:
        return entity_tag(self.id, self.name, self.is_administrator, self.disabled_at)


@dataclass(frozen=True, slots=True)
class Preferences:
    """None is what the person has not chosen: it is for the browser to say."""

    theme: str | None = None
    """`system`, `light` or `dark`."""
    timezone: str | None = None
    single_keys: bool | None = None
    """Whether single letters are shortcuts."""
    page_size: int | None = None
    """How many rows a page of a list has."""


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """Who a person is at an identity provider."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How people can sign in in this installation."""

    with_passwords: bool
    issuer: str | None
    """Of the identity provider."""


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
    """A session about to be stored."""

    id: UUID
    person_id: UUID
    secret_hash: bytes
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link about to be stored; its text is derived from this."""

    id: UUID
    person_id: UUID
    purpose: LinkPurpose
    expires_at: datetime
    project: str | None
    invited_by: UUID | None
    is_mailed: bool


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that can still be used, and whose it is."""

    id: UUID
    person_id: UUID
    purpose: LinkPurpose
    expires_at: datetime
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person and their role in a project."""

    person_id: UUID
    email: str
    name: str
    role: Role
    may_run: bool
    source: RoleSource
    disabled_at: datetime | None
    created_at: datetime

    @property
    def etag(self) -> str:
        return entity_tag(self.person_id, self.role, self.may_run, self.source, self.created_at)
