"""Tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Editable, Input, Instant, Name, Output, example
from orchestrator_shared.domain.tables import BUCKET_PATTERN, MAX_LENGTH

_SLUG = r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?"
ComponentEntry = Annotated[str, Field(pattern=rf"^(\*|{_SLUG})$", description="A component, or `*` for all.")]
StartableEntry = Annotated[
    str,
    Field(
        pattern=rf"^(\*|{_SLUG}(/{_SLUG})?)$",
        description="A component, `*` for all, or one configuration as `component/configuration`, which the "
        "token may then start but not change.",
    ),
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
    """A token to create."""

    model_config = example(
        {
            "name": "loader",
            "description": "The shop's export job says when its tables are loaded.",
            "scopes": ["publish"],
            "buckets": ["in.c-sales"],
            "expires_at": "2027-06-30T00:00:00Z",
        }
    )

    name: Name
    description: TokenDescription = ""
    scopes: list[Literal["read", "configure", "run", "publish", "tables"]] = Field(
        min_length=1,
        max_length=5,
        description="`publish` needs `buckets`. `tables` is the earlier name of `publish` for every bucket.",
    )
    components: list[StartableEntry] = Field(
        default_factory=list,
        max_length=1000,
        examples=[["orchestrator/campaigns"]],
        description="Components it may run and use in tasks; with none, it may still start orchestrations. "
        "With `orchestrator/campaigns` and no more, it may start this orchestration only.",
    )
    buckets: list[BucketEntry] = Field(
        default_factory=list,
        max_length=1000,
        description="Buckets whose table updates it may publish, for the scope `publish`.",
    )
    expires_at: Instant | None = None


class TokenChangeIn(Input):
    """The fields to change; fields that are left out keep their values."""

    model_config = example({"expires_at": "2027-12-31T00:00:00Z"})

    name: Name | None = None
    description: TokenDescription | None = None
    expires_at: Instant | None = Field(default=None, description="null if it never expires.")


class OrchestrationTokenIn(Input):
    """What an orchestration's token may run."""

    model_config = example({"components": ["csv-extractor", "sql-transformation"]})

    components: list[ComponentEntry] = Field(
        max_length=1000,
        description="Components that its tasks may run, or `*` for all; `orchestrator` for nested ones.",
    )


_LOADER: dict[str, Any] = {
    "id": "0198f0c2-8a35-7e91-b4d7-6f20c3a915be",
    "kind": "api",
    "name": "loader",
    "description": "The shop's export job says when its tables are loaded.",
    "prefix": "orc_ab12cd34",
    "scopes": ["publish"],
    "components": [],
    "buckets": ["in.c-sales"],
    "created_by": "ada@example.com",
    "created_at": "2026-11-30T08:15:00Z",
    "expires_at": "2027-06-30T00:00:00Z",
    "revoked_at": None,
    "last_used_at": None,
    "etag": '"Zm9vYmFyYmF6cXV4"',
}


class TokenOut(Editable):
    """A token, without its secret."""

    model_config = example(_LOADER)

    id: UUID
    kind: str = Field(description="`api`, or `orchestration` for an orchestration's own token.")
    name: str
    description: str
    prefix: str | None = Field(
        description="The first characters of the token; null if an earlier release created it.",
        examples=["orc_ab12cd34"],
    )
    scopes: list[str]
    components: list[str]
    buckets: list[str]
    created_by: str | None = Field(description="Who created it; null if an earlier release did.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class AdministratorTokenOut(Editable):
    """An administrator's token, without its secret."""

    id: UUID
    name: str
    email: str = Field(description="The address of the person whose token it is.")
    from_setting: bool = Field(description="Made from `ORCHESTRATOR_ADMIN_TOKEN`.")
    created_by: str | None = Field(description="Who created it; null if an earlier release did.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class PersonalTokenOut(Output):
    """A token of a person, without its secret. It may do what the person may do."""

    id: UUID
    name: str
    email: str = Field(description="The address of the person whose token it is.")
    prefix: str | None = Field(description="The first characters of the token.", examples=["orc_ab12cd34"])
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class PersonalTokenList(Output):
    """A person's tokens."""

    items: list[PersonalTokenOut]


class PersonalTokenCreated(PersonalTokenOut):
    """A person's new token; its secret is shown only in this answer."""

    token: str


class TokenCreated(TokenOut):
    """A token with a new secret, which is shown only in this answer."""

    model_config = example({**_LOADER, "token": "orc_ab12cd34…"})

    token: str
