"""The one call behind the pages that programs make: the command line fetches its token."""

from fastapi import APIRouter, Request

from orchestrator_api.access.models import PersonalTokenCreated
from orchestrator_api.http.dependencies import OF_BODY, problems
from orchestrator_api.http.gate import MAX_BODY_BYTES, GatedRoute
from orchestrator_api.http.session import Sessions
from orchestrator_api.web import exchange
from orchestrator_api.web.models import CliLoginIn

MAX_LOGIN_BYTES = 4 * 1024
PROBLEMS = {status: response for status, response in problems(*OF_BODY, 409).items() if status != 403}

router = APIRouter(prefix="/v1", tags=["people"], route_class=GatedRoute)


@router.post(
    "/cli-logins",
    operation_id="create_cli_login",
    status_code=201,
    responses=PROBLEMS,
    openapi_extra={"security": [], MAX_BODY_BYTES: MAX_LOGIN_BYTES},
)
async def create_cli_login(request: Request, body: CliLoginIn) -> PersonalTokenCreated:
    """Exchange the code of a login that a person has confirmed in the browser for a token of theirs.

    The token may do what the person may do, and expires after 30 days.
    """
    sessions: Sessions = request.app.state.sessions
    made = await exchange.token_for(
        sessions,
        request.app.state.link_keys,
        code=body.code,
        verifier=body.verifier,
        address=sessions.guard.address(request),
    )
    return PersonalTokenCreated.model_validate(made)
