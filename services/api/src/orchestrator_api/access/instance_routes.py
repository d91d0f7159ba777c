"""Tokens of administrators."""

from uuid import UUID

from fastapi import APIRouter, Response

from orchestrator_api.access import tokens
from orchestrator_api.access.models import AdministratorTokenOut
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import DELETE, READ, READ_ONE, Call, If, tagged
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging

router = APIRouter(prefix="/v1", route_class=GatedRoute)


@router.get("/tokens", tags=["tokens"], operation_id="list_administrator_tokens", responses=READ)
async def list_administrator_tokens(call: Call, paging: Paging) -> Page[AdministratorTokenOut]:
    """List administrators' tokens, without their secrets (administrators only)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMIN) as session:
        rows = await tokens.administrator_tokens(session, after, paging.rows)
    return Page[AdministratorTokenOut].model_validate(paging.of(rows, "id"))


@router.get("/tokens/{token}", tags=["tokens"], operation_id="get_administrator_token", responses=READ_ONE)
async def get_administrator_token(call: Call, token: UUID, response: Response) -> AdministratorTokenOut:
    """Get one administrator's token, without its secret (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        found = await tokens.find_administrator(session, token)
    return tagged(response, AdministratorTokenOut.model_validate(found))


@router.delete(
    "/tokens/{token}",
    tags=["tokens"],
    operation_id="revoke_administrator_token",
    status_code=204,
    responses=DELETE,
)
async def revoke_administrator_token(call: Call, token: UUID, condition: If) -> None:
    """Revoke an administrator's token, even the one that sends this request (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        await edits.check(session, condition, await tokens.administrator_target(session, token))
        await tokens.revoke_administrator(session, token)
