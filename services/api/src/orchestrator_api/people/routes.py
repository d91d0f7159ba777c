"""Members of a project, and who makes a request."""

from uuid import UUID

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    CREATE,
    DELETE,
    EDIT,
    PREFIX,
    READ,
    READ_ONE,
    WRITE,
    Call,
    If,
    Project,
    tagged,
)
from orchestrator_api.http.gate import MAX_BODY_BYTES, SCOPES, SMALL, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.people import me, members, preferences
from orchestrator_api.people.models import InvitationIn, MemberOut, MeOut, MePatch, RoleIn

router = APIRouter(prefix="/v1", tags=["people"], route_class=GatedRoute)
MEMBERS = PREFIX.removeprefix("/v1") + "/members"


@router.get("/me", operation_id="get_me", responses=READ)
async def get_me(call: Call) -> MeOut:
    """Get who you are and what you may do."""
    async with call.session(()) as session:
        return await me.describe(session)


@router.patch(
    "/me", operation_id="change_me", responses=WRITE, openapi_extra={SCOPES: [], MAX_BODY_BYTES: SMALL}
)
async def change_me(call: Call, body: MePatch) -> MeOut:
    """Change how you see the pages (people only). It counts in every browser that you sign in with."""
    async with call.session(()) as session:
        await preferences.change(session, body.preferences.model_dump(exclude_unset=True))
        return await me.describe(session)


@router.get(MEMBERS, operation_id="list_members", responses=READ)
async def list_members(call: Call, project: Project, paging: Paging) -> Page[MemberOut]:
    """List the project's members and their roles (project admins only)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMINISTER, project) as session:
        rows = await members.listing(session, after, paging.rows)
    return Page[MemberOut].model_validate(paging.of(rows, "person_id"))


@router.get(MEMBERS + "/{person}", operation_id="get_member", responses=READ_ONE)
async def get_member(call: Call, project: Project, person: UUID, response: Response) -> MemberOut:
    """Get one member and their role (project admins only)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        return tagged(response, MemberOut.model_validate(await members.find(session, person)))


@router.post(
    MEMBERS,
    operation_id="invite_member",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def invite_member(call: Call, project: Project, body: InvitationIn, response: Response) -> MemberOut:
    """Add a person to the project (project admins only). If the address has no account, one is created.

    Without a password, they are mailed a link to choose one, but at most five times an hour.
    """
    invitation = members.Invitation(body.email, body.membership, body.name)
    async with call.session(Scope.ADMINISTER, project) as session:
        return tagged(response, MemberOut.model_validate(await members.invite(session, invitation)))


@router.put(
    MEMBERS + "/{person}",
    operation_id="change_member",
    responses=EDIT,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def change_member(
    call: Call, project: Project, person: UUID, body: RoleIn, condition: If, response: Response
) -> MemberOut:
    """Change a member's role (project admins only). The last admin of a project cannot be demoted."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await edits.check(session, condition, await members.target(session, person))
        changed = await members.change_role(session, person, body.membership)
    return tagged(response, MemberOut.model_validate(changed))


@router.delete(MEMBERS + "/{person}", operation_id="remove_member", status_code=204, responses=DELETE)
async def remove_member(call: Call, project: Project, person: UUID, condition: If) -> None:
    """Remove a member, but not the last admin (project admins only). The account stays."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await edits.check(session, condition, await members.target(session, person))
        await members.remove(session, person)
