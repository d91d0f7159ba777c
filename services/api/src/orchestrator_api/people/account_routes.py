"""Accounts, for instance administrators."""

from uuid import UUID

from fastapi import APIRouter

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import READ, WRITE, Call
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.people import accounts
from orchestrator_api.people.models import AccountOut, PersonPatch

router = APIRouter(prefix="/v1/people", tags=["people"], route_class=GatedRoute)


@router.get("", operation_id="list_people", responses=READ)
async def list_people(call: Call, paging: Paging) -> Page[AccountOut]:
    """All accounts of the installation (administrators only)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMIN) as session:
        rows = await accounts.listing(session, after, paging.rows)
    return Page[AccountOut].model_validate(paging.of(rows, "id"))


@router.get("/{person}", operation_id="get_person", responses=READ)
async def get_person(call: Call, person: UUID) -> AccountOut:
    """One account (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        return AccountOut.model_validate(await accounts.find(session, person))


@router.patch("/{person}", operation_id="change_person", responses=WRITE, openapi_extra=takes(Scope.ADMIN))
async def change_person(call: Call, person: UUID, body: PersonPatch) -> AccountOut:
    """Rename, disable or enable an account, or make it an administrator (administrators only).

    A disabled account is signed out at once. The last administrator stays one.
    """
    change = accounts.AccountChange(**body.model_dump())
    async with call.session(Scope.ADMIN) as session:
        return AccountOut.model_validate(await accounts.change(session, person, change))
