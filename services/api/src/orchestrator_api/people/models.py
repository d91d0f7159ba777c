"""People, members, and who makes a request."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from orchestrator_api.access.permissions import Membership, Role
from orchestrator_api.http.models import Editable, Input, Name, Output
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
        description="A sentence is a good one.",
    ),
]


class SignInIn(Input):
    """An address and its password."""

    email: str = Field(min_length=1, max_length=MAX_CHARACTERS, examples=["ada@example.com"])
    password: str = Field(max_length=PASSWORD_CHARACTERS, json_schema_extra={"format": "password"})


class PasswordIn(Input):
    """The password so far, and the one from now on."""

    current_password: str = Field(max_length=PASSWORD_CHARACTERS, json_schema_extra={"format": "password"})
    new_password: Password


class PersonPatch(Input):
    """What of an account shall change; what is left out stays."""

    name: Name | None = None
    disabled: bool | None = Field(
        default=None, description="A disabled account is signed out at once and cannot sign in."
    )
    is_administrator: bool | None = Field(default=None, description="Of the whole installation.")


class ResetIn(Input):
    """Whose password was forgotten."""

    email: str = Field(min_length=1, max_length=MAX_CHARACTERS, examples=["ada@example.com"])


class NewPasswordIn(Input):
    """The password that the person chooses, and the name they go by."""

    password: Password
    name: Name | None = Field(default=None, description="Without it, the name stays.")


class PersonIn(Input):
    """An account to create."""

    email: Email
    name: Name | None = Field(default=None, description="Without it, the address.")
    is_administrator: bool = Field(default=False, description="Of the whole installation.")


class LinkIssuedOut(Output):
    """A link with which a person sets a password."""

    person_id: UUID
    purpose: LinkPurpose
    expires_at: datetime
    link: str | None = Field(
        description="With `show_link`: the link, or its path if `ORCHESTRATOR_PUBLIC_URL` is not set. "
        "It works once. Without, it is mailed and never shown."
    )


class LinkOut(Output):
    """Whose link it is, and what for."""

    email: str
    name: str
    purpose: LinkPurpose
    expires_at: datetime


class RoleIn(Input):
    """A role in a project."""

    role: Annotated[Role, Field(strict=False)]
    may_run: bool = Field(
        default=False,
        description="A viewer who may also run, retry, terminate, and switch on and off; editors and admins "
        "may anyway.",
    )

    @property
    def membership(self) -> Membership:
        return Membership(self.role, self.may_run and self.role is Role.VIEWER)


class InvitationIn(RoleIn):
    """A person to invite into the project."""

    email: Email
    name: Name | None = Field(default=None, description="Of a new account; without it, the address.")


class MemberOut(Editable):
    """A person and their role in the project."""

    person_id: UUID
    email: str
    name: str
    role: Role
    may_run: bool
    source: RoleSource = Field(
        description="`provider`: from the person's groups at the identity provider, decided anew at each "
        "sign-in. `manual`: given here, and left alone by the provider."
    )
    disabled_at: datetime | None = Field(description="Since when the account is disabled.")
    created_at: datetime = Field(description="When they became a member.")


class PersonOut(Output):
    """An account."""

    id: UUID
    email: str
    name: str
    is_administrator: bool = Field(description="Of the whole installation.")


class AccountOut(PersonOut, Editable):
    """An account, as instance administrators see it."""

    disabled_at: datetime | None = Field(description="Since when it is disabled.")
    created_at: datetime


class CurrentSessionOut(Output):
    """The session of this browser."""

    id: UUID
    csrf_token: str = Field(description="Send it as `X-CSRF-Token` with every change.")
    person: PersonOut


class SessionOut(Output):
    """A session of the person, in this browser or in another one."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime = Field(description="To the minute.")
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
    project: str | None = Field(description="Null: for every project that its person may enter.")
    scopes: list[str]
    components: list[str]
    buckets: list[str]


class MeOut(Output):
    """Who makes this request, and what they may do."""

    person: PersonOut | None = Field(description="Null for an API token, which is not a person.")
    memberships: list[MembershipOut] = Field(description="Of the person, by project.")
    token: BearerOut | None = Field(description="Null for a person who is signed in.")
