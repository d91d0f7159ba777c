"""Tokens."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Editable, Input, Instant, Name, Output
from orchestrator_shared.domain.tables import BUCKET_PATTERN, MAX_LENGTH

ComponentEntry = Annotated[
    str,
    Field(pattern=r"^(\*|[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)$", description="A component, or `*` for all."),
]


BucketEntry = Annotated[
    str,
    Field(
        pattern=rf"^\*$|{BUCKET_PATTERN}",
        max_length=MAX_LENGTH,
        examples=["in.c-sales"],
        description="A bucket, or `*` for all.",
    ),
]
TokenDescription = Annotated[
    str, Field(max_length=1000, description="What it is for, so that people know whether it is still needed.")
]


class TokenIn(Input):
    """A token to make."""

    name: Name
    description: TokenDescription = ""
    scopes: list[Literal["read", "configure", "run", "publish", "tables"]] = Field(
        min_length=1,
        max_length=5,
        description="`publish` needs `buckets`. `tables` is the earlier name of `publish` for every bucket.",
    )
    components: list[ComponentEntry] = Field(
        default_factory=list,
        max_length=1000,
        description="Components it may run and use in tasks; with none, it may still start orchestrations.",
    )
    buckets: list[BucketEntry] = Field(
        default_factory=list,
        max_length=1000,
        description="Buckets whose table updates it may publish, for the scope `publish`.",
    )
    expires_at: Instant | None = None


class TokenChangeIn(Input):
    """What to change of a token; what is left out stays."""

    name: Name | None = None
    description: TokenDescription | None = None
    expires_at: Instant | None = Field(default=None, description="null if it shall never expire.")


class OrchestrationTokenIn(Input):
    """What an orchestration's token may run."""

    components: list[ComponentEntry] = Field(
        max_length=1000,
        description="Components that its tasks may run, or `*` for all; `orchestrator` for nested ones.",
    )


class TokenOut(Editable):
    """A token, without its secret."""

    id: UUID
    kind: str = Field(description="`api`, or `orchestration` for an orchestration's own token.")
    name: str
    description: str
    prefix: str | None = Field(
        description="The first characters of its text; null for tokens that earlier releases made.",
        examples=["orc_ab12cd34"],
    )
    scopes: list[str]
    components: list[str]
    buckets: list[str]
    created_by: str | None = Field(description="Who made it; null for tokens that earlier releases made.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class AdministratorTokenOut(Editable):
    """An administrator's token, without its secret."""

    id: UUID
    name: str
    email: str = Field(description="Whose it is.")
    from_setting: bool = Field(description="Made from `ORCHESTRATOR_ADMIN_TOKEN`.")
    created_by: str | None = Field(description="Who made it; null for tokens that earlier releases made.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class PersonalTokenOut(Output):
    """A token of a person, without its secret. It may do what the person may do."""

    id: UUID
    name: str
    email: str = Field(description="Whose it is.")
    prefix: str | None = Field(description="The first characters of its text.", examples=["orc_ab12cd34"])
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class PersonalTokenList(Output):
    """A person's tokens."""

    items: list[PersonalTokenOut]


class PersonalTokenCreated(PersonalTokenOut):
    """A person's new token; its text is shown this once."""

    token: str


class TokenCreated(TokenOut):
    """A token with a new secret; its text is shown this once."""

    token: str
