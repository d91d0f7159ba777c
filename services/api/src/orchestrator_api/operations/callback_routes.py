"""Receives callbacks from services where a component has started a run."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from orchestrator_api.http.dependencies import OF_BODY, problems
from orchestrator_api.http.gate import MAX_BODY_BYTES, GatedRoute
from orchestrator_api.http.session import Sessions
from orchestrator_api.operations import callbacks
from orchestrator_api.operations.models import CallbackOut
from orchestrator_shared.domain.errors import UserError

MAX_CALLBACK_BYTES = 256 * 1024
PROBLEMS = {
    status: response for status, response in problems(*OF_BODY, 404, 409).items() if status not in (401, 403)
}
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "maxProperties": 10_000},
            "example": {"status": "finished", "rows": 1250},
        }
    },
}

router = APIRouter(prefix="/v1/callbacks", tags=["jobs"], route_class=GatedRoute)


@router.post(
    "/{token}",
    operation_id="receive_callback",
    responses=PROBLEMS,
    openapi_extra={"security": [], "requestBody": BODY, MAX_BODY_BYTES: MAX_CALLBACK_BYTES},
)
async def receive_callback(request: Request, token: Annotated[str, Path(max_length=200)]) -> CallbackOut:
    """Report on a run that a component with the executor http has started. The URL itself is the secret.

    It is valid while the attempt is in progress. Sending the same report again is harmless.
    """
    sessions: Sessions = request.app.state.sessions
    await callbacks.find(sessions, token, sessions.guard.address(request))
    if not isinstance(await request.json(), dict):
        raise UserError("send a JSON object", field="body")
    await callbacks.receive(sessions, token, await request.body())
    return CallbackOut(accepted=True)
