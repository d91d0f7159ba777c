"""Accounts, for instance administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import EDIT, READ, READ_ONE, WRITE, Call, If, tagged
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.people import accounts, identities, links
from orchestrator_api.people.dependencies import Desk
from orchestrator_api.people.models import AccountOut, LinkIssuedOut, PersonIn, PersonPatch
from orchestrator_api.people.rows import NewLink
from orchestrator_api.people.sign_in import SignIns

router = APIRouter(prefix="/v1/people", tags=["people"], route_class=GatedRoute)
ShowLink = Annotated[
    bool, Query(description="Return the link instead of mailing it, for people who cannot get mail.")
]


def _issued(desk: SignIns, link: NewLink, response: Response) -> LinkIssuedOut:
    response.headers["cache-control"] = "no-store"
    public_url = desk.sessions.guard.browsers.public_url
    shown = None if link.is_mailed else links.address_of(desk.link_keys, public_url, link)
    return LinkIssuedOut(
        person_id=link.person_id, purpose=link.purpose, expires_at=link.expires_at, link=shown
    )


@router.get("", operation_id="list_people", responses=READ)
async def list_people(call: Call, paging: Paging) -> Page[AccountOut]:
    """List all accounts of the installation (administrators only)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMIN) as session:
        rows = await accounts.listing(session, after, paging.rows)
    return Page[AccountOut].model_validate(paging.of(rows, "id"))


@router.get("/{person}", operation_id="get_person", responses=READ_ONE)
async def get_person(call: Call, person: UUID, response: Response) -> AccountOut:
    """Get one account (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        return tagged(response, AccountOut.model_validate(await accounts.find(session, person)))


@router.patch("/{person}", operation_id="change_person", responses=EDIT, openapi_extra=takes(Scope.ADMIN))
async def change_person(
    call: Call, person: UUID, body: PersonPatch, condition: If, response: Response
) -> AccountOut:
    """Rename, disable or enable an account, or make it an administrator (administrators only).

    A disabled account is signed out at once. The last administrator cannot be disabled or demoted.
    """
    change = accounts.AccountChange(**body.model_dump())
    async with call.session(Scope.ADMIN) as session:
        await edits.check(session, condition, await accounts.target(session, person))
        changed = await accounts.change(session, person, change)
    return tagged(response, AccountOut.model_validate(changed))


@router.post(
    "",
    operation_id="invite_person",
    status_code=201,
    responses=WRITE,
    openapi_extra=takes(Scope.ADMIN),
)
async def invite_person(
    call: Call, desk: Desk, body: PersonIn, response: Response, show_link: ShowLink = False
) -> LinkIssuedOut:
    """Create an account and mail the person an invitation (administrators only).

    At most five links an hour are mailed to a person; `show_link` works always.
    """
    account = accounts.NewAccount(body.email, body.name, body.is_administrator)
    async with call.session(Scope.ADMIN) as session:
        link = await accounts.invite(session, account, mailed=not show_link)
    return _issued(desk, link, response)


@router.post("/{person}/reset", operation_id="reset_password", status_code=201, responses=WRITE)
async def reset_password(
    call: Call, desk: Desk, person: UUID, response: Response, show_link: ShowLink = False
) -> LinkIssuedOut:
    """Mail a person a link to set a new password (administrators only).

    At most five links an hour are mailed to a person; `show_link` works always.
    """
    async with call.session(Scope.ADMIN) as session:
        link = await accounts.reset(session, person, mailed=not show_link)
    return _issued(desk, link, response)


@router.delete("/{person}/identity", operation_id="unlink_person", status_code=204, responses=READ)
async def unlink_person(call: Call, person: UUID) -> None:
    """Unlink an account from its identity at the OpenID Connect provider (administrators only).

    The account is signed out at once and keeps its roles. The next sign-in at the provider with the verified
    address of the account links it again; disable the account to keep its person out.
    """
    async with call.session(Scope.ADMIN) as session:
        await identities.unlink(session, person)
