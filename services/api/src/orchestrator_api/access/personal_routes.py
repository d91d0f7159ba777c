"""A person's own tokens."""

from uuid import UUID

from fastapi import APIRouter

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.models import PersonalTokenList, PersonalTokenOut
from orchestrator_api.http.dependencies import READ, WRITE, Call
from orchestrator_api.http.gate import GatedRoute

router = APIRouter(prefix="/v1/me/tokens", tags=["tokens"], route_class=GatedRoute)


@router.get("", operation_id="list_own_tokens", responses=READ)
async def list_own_tokens(call: Call) -> PersonalTokenList:
    """List your own valid tokens, without their secrets. For an API token, the list is empty."""
    async with call.session(()) as session:
        rows = await personal_tokens.listing(session)
    return PersonalTokenList(items=[PersonalTokenOut.model_validate(row) for row in rows])


@router.delete("/{token}", operation_id="revoke_own_token", status_code=204, responses=WRITE)
async def revoke_own_token(call: Call, token: UUID) -> None:
    """Revoke one of your own tokens, even the one that sends this request."""
    async with call.session(()) as session:
        await personal_tokens.revoke(session, token)
