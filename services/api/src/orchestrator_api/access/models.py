"""Tokens and the audit log."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Input, Instant, Name, Output

ComponentEntry = Annotated[
    str,
    Field(pattern=r"^(\*|[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)$", description="A component, or `*` for all."),
]


class TokenIn(Input):
    """A token to make."""

    name: Name
    scopes: list[Literal["read", "configure", "run", "tables"]] = Field(min_length=1, max_length=4)
    components: list[ComponentEntry] = Field(
        default_factory=list,
        max_length=1000,
        description="Components it may run and use in tasks; with none, it may still start orchestrations.",
    )
    expires_at: Instant | None = None


class TokenOut(Output):
    """A token, without its secret."""

    id: UUID
    kind: str
    name: str
    scopes: list[str]
    components: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class AdministratorTokenOut(Output):
    """An administrator's token, without its secret."""

    id: UUID
    name: str
    email: str = Field(description="Whose it is.")
    from_setting: bool = Field(description="Made from `ORCHESTRATOR_ADMIN_TOKEN`.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenCreated(TokenOut):
    """A new token; its text is shown this once."""

    token: str


class AuditOut(Output):
    """One change or run request."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
