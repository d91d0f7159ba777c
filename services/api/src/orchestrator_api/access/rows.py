"""Rows of tokens and their bearers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.permissions import Role
from orchestrator_api.http.conditional import entity_tag


@dataclass(frozen=True, slots=True)
class Bearer:
    """A presented token and its owner."""

    id: UUID
    kind: str
    name: str
    project: str | None
    scopes: tuple[str, ...]
    components: tuple[str, ...]
    buckets: tuple[str, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    person_id: UUID | None
    email: str | None
    is_administrator: bool
    is_disabled: bool
    last_use_is_old: bool


@dataclass(frozen=True, slots=True)
class JobBearer:
    """A job whose attempt is processing."""

    id: UUID
    parent_id: UUID | None
    root_id: UUID
    chain_length: int
    buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoodBearing:
    """A token or session that may still be used in this project."""

    credential_id: UUID
    project: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's session and the person who is signed in."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    last_use_is_old: bool
    person_id: UUID
    email: str
    name: str
    is_administrator: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class StoredMembership:
    """A person's role in a project."""

    project: str
    role: Role
    may_run: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a project, without its secret."""

    id: UUID
    kind: str
    name: str
    project: str
    scopes: tuple[str, ...]
    components: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    prefix: str | None
    description: str
    buckets: tuple[str, ...]
    created_by: str | None

    @property
    def etag(self) -> str:
        changing = (self.name, self.description, self.components, self.expires_at, self.revoked_at)
        return entity_tag(self.id, *changing)


@dataclass(frozen=True, slots=True)
class CreatedToken(Token):
    """A new token with its text, which is not stored."""

    token: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token of a project, about to be stored."""

    id: UUID
    project: str
    kind: str
    name: str
    secret_hash: bytes
    scopes: list[str]
    components: list[str]
    buckets: list[str]
    prefix: str
    created_by: str
    description: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AdministratorToken:
    """An administrator's token, without its secret."""

    id: UUID
    name: str
    email: str
    from_setting: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_by: str | None

    @property
    def etag(self) -> str:
        return entity_tag(self.id, self.revoked_at)


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """Which tokens to list; None does not filter."""

    search: str | None = None
    """Part of the name, prefix, description or creator."""
    revoked: bool | None = None
    kind: str | None = None
    """`api`, or `orchestration` for orchestrations' own tokens."""


@dataclass(frozen=True, slots=True)
class TokenChange:
    """New values of a token; None leaves the stored one, except that of an expiry which is set."""

    name: str | None = None
    description: str | None = None
    expires_at: datetime | None = None
    sets_expiry: bool = False


@dataclass(frozen=True, slots=True)
class SettingToken:
    """The token that comes from a setting."""

    id: UUID
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token of a person, without its secret."""

    id: UUID
    name: str
    email: str
    prefix: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedPersonalToken(PersonalToken):
    """A new token with its text, which is not stored."""

    token: str


@dataclass(frozen=True, slots=True)
class Administrator:
    """A user who may do everything."""

    id: UUID
    email: str
