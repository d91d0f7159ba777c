"""Tokens of a project."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from orchestrator_api.access import dedup_keys, tokens
from orchestrator_api.access.models import TokenChangeIn, TokenCreated, TokenIn, TokenOut
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.rows import TokenChange, TokenFilter
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
    IdempotencyKey,
    If,
    Project,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging, Search

router = APIRouter(prefix=PREFIX, route_class=GatedRoute)


@router.get("/tokens", tags=["tokens"], operation_id="list_tokens", responses=READ)
async def list_tokens(
    call: Call,
    project: Project,
    paging: Paging,
    search: Search = None,
    revoked: bool | None = None,
    kind: Literal["api", "orchestration"] | None = None,
) -> Page[TokenOut]:
    """List the project's tokens, without their secrets (project admins only).

    `search` covers the names, prefixes, descriptions and creators of all tokens. With `kind`, only the tokens
    that were made for programs, or only orchestrations' own.
    """
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMINISTER, project) as session:
        rows = await tokens.listing(session, TokenFilter(search, revoked, kind), after, paging.rows)
    return Page[TokenOut].model_validate(paging.of(rows, "id"))


@router.post(
    "/tokens",
    tags=["tokens"],
    operation_id="create_token",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.ADMINISTER, max_bytes=LARGE),
)
async def create_token(
    call: Call, project: Project, body: TokenIn, response: Response, key: IdempotencyKey = None
) -> TokenCreated:
    """Create a token (project admins only). Its secret is shown only in this answer.

    Repeated under the same key, the request is answered 409 with the id of the token that it has created.
    """
    given = body.model_dump()
    async with call.session(Scope.ADMINISTER, project) as session:
        dedup_key = dedup_keys.accept(session, key, "create token", given)
        made = await tokens.create(session, tokens.TokenSpec(**given), dedup_key)
    return tagged(response, TokenCreated.model_validate(made))


@router.get("/tokens/{token}", tags=["tokens"], operation_id="get_token", responses=READ_ONE)
async def get_token(call: Call, project: Project, token: UUID, response: Response) -> TokenOut:
    """Get one token, without its secret (project admins only)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        return tagged(response, TokenOut.model_validate(await tokens.find(session, token)))


@router.patch(
    "/tokens/{token}",
    tags=["tokens"],
    operation_id="change_token",
    responses=EDIT,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def change_token(
    call: Call, project: Project, token: UUID, body: TokenChangeIn, condition: If, response: Response
) -> TokenOut:
    """Change a token's name, description or expiry, but not what it may do (project admins only)."""
    change = TokenChange(**body.model_dump(), sets_expiry="expires_at" in body.model_fields_set)
    async with call.session(Scope.ADMINISTER, project) as session:
        await edits.check(session, condition, await tokens.target(session, token))
        return tagged(response, TokenOut.model_validate(await tokens.change(session, token, change)))


@router.post("/tokens/{token}/refresh", tags=["tokens"], operation_id="refresh_token", responses=WRITE)
async def refresh_token(call: Call, project: Project, token: UUID) -> TokenCreated:
    """Replace a token's secret (project admins only).

    The old secret stops working at once; the new one is shown only in this answer.
    """
    async with call.session(Scope.ADMINISTER, project) as session:
        return TokenCreated.model_validate(await tokens.refresh(session, token))


@router.delete(
    "/tokens/{token}", tags=["tokens"], operation_id="revoke_token", status_code=204, responses=DELETE
)
async def revoke_token(call: Call, project: Project, token: UUID, condition: If) -> None:
    """Revoke a token (project admins only)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await edits.check(session, condition, await tokens.target(session, token))
        await tokens.revoke(session, token)
