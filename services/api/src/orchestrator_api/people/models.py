"""People, members, and who makes a request."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from orchestrator_api.access.permissions import Membership, Role
from orchestrator_api.http.models import Editable, Input, Name, Output, example
from orchestrator_api.people.passwords import MAX_CHARACTERS as PASSWORD_CHARACTERS
from orchestrator_api.people.passwords import MIN_CHARACTERS
from orchestrator_api.people.rows import RoleSource
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.domain.mail_addresses import LENGTHS, MAX_CHARACTERS, PATTERN, check_mail_address


def _is_mail_address(text: str) -> str:
    try:
        return check_mail_address(text)
    except UserError as error:
        raise ValueError(error.detail) from error


Email = Annotated[
    str,
    Field(
        max_length=MAX_CHARACTERS,
        pattern=PATTERN,
        examples=["ada@example.com"],
        json_schema_extra={"format": "email", "allOf": [{"pattern": LENGTHS}]},
    ),
    AfterValidator(_is_mail_address),
]


Password = Annotated[
    str,
    Field(
        min_length=MIN_CHARACTERS,
        max_length=PASSWORD_CHARACTERS,
        json_schema_extra={"format": "password"},
        description="A whole sentence makes a good password.",
    ),
]


class SignInIn(Input):
    """An address and its password."""

    model_config = example({"email": "ada@example.com", "password": "a sentence that only Ada knows"})

    email: str = Field(min_length=1, max_length=MAX_CHARACTERS, examples=["ada@example.com"])
    password: str = Field(max_length=PASSWORD_CHARACTERS, json_schema_extra={"format": "password"})


class PasswordIn(Input):
    """The current password, and the new one."""

    model_config = example(
        {
            "current_password": "a sentence that only Ada knows",
            "new_password": "another sentence that only Ada knows",
        }
    )

    current_password: str = Field(max_length=PASSWORD_CHARACTERS, json_schema_extra={"format": "password"})
    new_password: Password


class PersonPatch(Input):
    """The fields to change; fields that are left out keep their values."""

    model_config = example({"name": "Ada Lovelace"})

    name: Name | None = None
    disabled: bool | None = Field(
        default=None, description="A disabled account is signed out at once and cannot sign in."
    )
    is_administrator: bool | None = Field(
        default=None, description="Whether this is an administrator of the whole installation."
    )


class ResetIn(Input):
    """The account whose password was forgotten."""

    model_config = example({"email": "ada@example.com"})

    email: str = Field(min_length=1, max_length=MAX_CHARACTERS, examples=["ada@example.com"])


class NewPasswordIn(Input):
    """The password that the person chooses, and the name they go by."""

    model_config = example({"password": "a sentence that only Ada knows", "name": "Ada Lovelace"})

    password: Password
    name: Name | None = Field(default=None, description="Leave it out to keep the current name.")


class PersonIn(Input):
    """An account to create."""

    model_config = example({"email": "ada@example.com", "name": "Ada Lovelace"})

    email: Email
    name: Name | None = Field(default=None, description="Defaults to the address.")
    is_administrator: bool = Field(
        default=False, description="Whether this is an administrator of the whole installation."
    )


class LinkIssuedOut(Output):
    """A link that lets a person set a password."""

    person_id: UUID
    purpose: LinkPurpose
    expires_at: datetime
    link: str | None = Field(
        description="The link, which works once, or its path if `ORCHESTRATOR_PUBLIC_URL` is not set. "
        "Null without `show_link`: the link is mailed and never shown."
    )


class LinkOut(Output):
    """The account that a link belongs to, and what the link is for."""

    email: str
    name: str
    purpose: LinkPurpose
    expires_at: datetime


class RoleIn(Input):
    """A role in a project."""

    model_config = example({"role": "viewer", "may_run": True})

    role: Annotated[Role, Field(strict=False)]
    may_run: bool = Field(
        default=False,
        description="Lets a viewer run, retry, terminate, enable and disable, too; editors and admins "
        "always may.",
    )

    @property
    def membership(self) -> Membership:
        return Membership(self.role, self.may_run and self.role is Role.VIEWER)


class InvitationIn(RoleIn):
    """A person to invite into the project."""

    model_config = example({"email": "ada@example.com", "name": "Ada Lovelace", "role": "editor"})

    email: Email
    name: Name | None = Field(default=None, description="The name of a new account; defaults to the address.")


class MemberOut(Editable):
    """A person and their role in the project."""

    model_config = example(
        {
            "person_id": "0198ee71-4b0a-7c58-a1e3-90f4d27b6c15",
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "role": "editor",
            "may_run": False,
            "source": "manual",
            "disabled_at": None,
            "created_at": "2026-11-30T08:15:00Z",
            "etag": '"Zm9vYmFyYmF6cXV4"',
        }
    )

    person_id: UUID
    email: str
    name: str
    role: Role
    may_run: bool
    source: RoleSource = Field(
        description="`provider`: from the person's groups at the identity provider, updated at each "
        "sign-in. `manual`: assigned here, and never changed by the provider."
    )
    disabled_at: datetime | None = Field(description="When the account was disabled; null if it is not.")
    created_at: datetime = Field(description="When they became a member.")


class PersonOut(Output):
    """An account."""

    id: UUID
    email: str
    name: str
    is_administrator: bool = Field(description="Whether this is an administrator of the whole installation.")


class AccountOut(PersonOut, Editable):
    """An account, as instance administrators see it."""

    disabled_at: datetime | None = Field(description="When it was disabled; null if it is not.")
    created_at: datetime
    identity_provider: str | None = Field(
        description="The issuer of the identity provider that the account is linked to; null if it is not."
    )


class PreferencesIn(Input):
    """What to change; what is left out stays, and null leaves it to the browser again."""

    model_config = example({"theme": "dark", "timezone": "Europe/Prague"})

    theme: Literal["system", "light", "dark"] | None = None
    timezone: str | None = Field(
        default=None,
        max_length=100,
        examples=["Europe/Prague"],
        description="The IANA time zone in which times are shown.",
        json_schema_extra={"format": "time-zone"},
    )
    single_keys: bool | None = Field(default=None, description="Whether single letters are shortcuts.")
    page_size: Literal[20, 50, 100] | None = Field(
        default=None, description="How many rows a page of a list has."
    )


class MePatch(Input):
    """What a person may change of themselves."""

    model_config = example({"preferences": {"theme": "dark"}})

    preferences: PreferencesIn


class PreferencesOut(Output):
    """How a person wants to see the pages, in every browser. Null: not chosen."""

    theme: Literal["system", "light", "dark"] | None
    timezone: str | None = Field(description="The IANA time zone in which times are shown.")
    single_keys: bool | None = Field(description="Whether single letters are shortcuts; they are if null.")
    page_size: int | None = Field(description="How many rows a page of a list has; 50 if null.")


class CurrentSessionOut(Output):
    """The session of this browser."""

    id: UUID
    csrf_token: str = Field(description="Send it as `X-CSRF-Token` with every change.")
    person: PersonOut


class SessionOut(Output):
    """A session of the person, in this browser or in another one."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime = Field(description="Precise to the minute.")
    address: str
    user_agent: str
    is_current: bool = False


class MembershipOut(Output):
    """A role in one project."""

    project: str
    role: Role
    may_run: bool


class BearerOut(Output):
    """The token that the request came with."""

    id: UUID
    name: str
    project: str | None = Field(
        description="Null for a personal token, which is valid in every project of its person."
    )
    scopes: list[str]
    components: list[str]
    buckets: list[str]


class MeOut(Output):
    """Who makes this request, and what they may do."""

    person: PersonOut | None = Field(description="Null for an API token, which is not a person.")
    memberships: list[MembershipOut] = Field(description="The person's roles, sorted by project.")
    token: BearerOut | None = Field(description="Null for a person who is signed in.")
    preferences: PreferencesOut | None = Field(description="Null for an API token.")
