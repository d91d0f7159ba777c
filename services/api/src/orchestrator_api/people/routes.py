"""Members of a project, and who makes a request."""

from uuid import UUID

from fastapi import APIRouter

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, Project
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.people import me, members
from orchestrator_api.people.models import InvitationIn, MemberOut, MeOut, RoleIn

router = APIRouter(prefix="/v1", tags=["people"], route_class=GatedRoute)
MEMBERS = PREFIX.removeprefix("/v1") + "/members"


@router.get("/me", operation_id="get_me", responses=READ)
async def get_me(call: Call) -> MeOut:
    """Who you are, and what you may do."""
    async with call.session(()) as session:
        return await me.describe(session)


@router.get(MEMBERS, operation_id="list_members", responses=READ)
async def list_members(call: Call, project: Project, paging: Paging) -> Page[MemberOut]:
    """The project's members and their roles (project admin)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMINISTER, project) as session:
        rows = await members.listing(session, after, paging.rows)
    return Page[MemberOut].model_validate(paging.of(rows, "person_id"))


@router.get(MEMBERS + "/{person}", operation_id="get_member", responses=READ)
async def get_member(call: Call, project: Project, person: UUID) -> MemberOut:
    """One member and their role (project admin)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        return MemberOut.model_validate(await members.find(session, person))


@router.post(
    MEMBERS,
    operation_id="invite_member",
    status_code=201,
    responses=WRITE,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def invite_member(call: Call, project: Project, body: InvitationIn) -> MemberOut:
    """Add a person to the project (project admin); an unknown address gets an account."""
    invitation = members.Invitation(body.email, body.membership, body.name)
    async with call.session(Scope.ADMINISTER, project) as session:
        return MemberOut.model_validate(await members.invite(session, invitation))


@router.put(
    MEMBERS + "/{person}",
    operation_id="change_member",
    responses=WRITE,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def change_member(call: Call, project: Project, person: UUID, body: RoleIn) -> MemberOut:
    """Change a member's role (project admin); the last admin of a project stays one."""
    async with call.session(Scope.ADMINISTER, project) as session:
        return MemberOut.model_validate(await members.change_role(session, person, body.membership))


@router.delete(MEMBERS + "/{person}", operation_id="remove_member", status_code=204, responses=WRITE)
async def remove_member(call: Call, project: Project, person: UUID) -> None:
    """Remove a member (project admin), but not the last admin. The account stays."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await members.remove(session, person)
