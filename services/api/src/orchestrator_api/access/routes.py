"""Tokens of a project, and its audit log."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from orchestrator_api.access import audit, tokens
from orchestrator_api.access.models import AuditOut, TokenCreated, TokenIn, TokenOut
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, Project
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging

router = APIRouter(prefix=PREFIX, route_class=GatedRoute)


@router.get("/tokens", tags=["tokens"], operation_id="list_tokens", responses=READ)
async def list_tokens(call: Call, project: Project, paging: Paging) -> Page[TokenOut]:
    """The project's tokens, without their secrets (project admin)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMINISTER, project) as session:
        rows = await tokens.listing(session, after, paging.rows)
    return Page[TokenOut].model_validate(paging.of(rows, "id"))


@router.post(
    "/tokens",
    tags=["tokens"],
    operation_id="create_token",
    status_code=201,
    responses=WRITE,
    openapi_extra=takes(Scope.ADMINISTER, max_bytes=LARGE),
)
async def create_token(call: Call, project: Project, body: TokenIn) -> TokenCreated:
    """Make a token (project admin); its text is shown this once."""
    async with call.session(Scope.ADMINISTER, project) as session:
        made = await tokens.create(session, tokens.TokenSpec(**body.model_dump()))
    return TokenCreated.model_validate(made)


@router.delete(
    "/tokens/{token}", tags=["tokens"], operation_id="revoke_token", status_code=204, responses=WRITE
)
async def revoke_token(call: Call, project: Project, token: UUID) -> None:
    """End a token (project admin)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await tokens.revoke(session, token)


@router.get("/audit", tags=["records"], operation_id="list_audit", responses=READ)
async def list_audit(call: Call, project: Project, paging: Paging) -> Page[AuditOut]:
    """Every change and run request, newest first (project admin)."""
    before = paging.place(datetime, UUID)
    async with call.session(Scope.ADMINISTER, project) as session:
        rows = await audit.project_records(session.connection, project, before, paging.rows)
    return Page[AuditOut].model_validate(paging.of(rows, "at", "id"))
