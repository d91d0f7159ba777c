"""Links that set a password, and the way to one for people who have forgotten theirs."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Request, Response

from orchestrator_api.http.dependencies import OF_BODY, problems
from orchestrator_api.http.gate import MAX_BODY_BYTES, GatedRoute
from orchestrator_api.people import links, resets
from orchestrator_api.people.dependencies import MAX_BYTES, Desk
from orchestrator_api.people.models import LinkOut, NewPasswordIn, ResetIn
from orchestrator_shared.links import MAX_CHARACTERS

router = APIRouter(prefix="/v1", tags=["people"], route_class=GatedRoute)
OPEN = {"security": [], MAX_BODY_BYTES: MAX_BYTES}
LinkText = Annotated[
    str,
    Path(max_length=MAX_CHARACTERS, description="The part of the link after `/links/`."),
]


def _public(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Problems of a call that needs no token."""
    needless = {401, 403} - set(statuses)
    return {status: each for status, each in problems(*statuses).items() if status not in needless}


@router.post(
    "/password-resets",
    operation_id="request_password_reset",
    status_code=202,
    response_class=Response,
    responses=_public(*OF_BODY, 403),
    openapi_extra=OPEN,
)
async def request_password_reset(request: Request, desk: Desk, body: ResetIn, after: BackgroundTasks) -> None:
    """Mail a link to set a new password if the address has an account.

    The answer is the same if it has none.
    """
    address = desk.sessions.guard.address(request)
    resets.accept(desk, address)
    after.add_task(resets.send, desk, body.email, address)


@router.get("/links/{link}", operation_id="get_link", responses=_public(404), openapi_extra={"security": []})
async def get_link(request: Request, response: Response, desk: Desk, link: LinkText) -> LinkOut:
    """Get the account that a link belongs to. This does not use the link up."""
    response.headers["cache-control"] = "no-store"
    return LinkOut.model_validate(await links.look_at(desk, link, desk.sessions.guard.address(request)))


@router.post(
    "/links/{link}",
    operation_id="use_link",
    responses=_public(*OF_BODY, 403, 404),
    openapi_extra=OPEN,
)
async def use_link(
    request: Request, response: Response, desk: Desk, link: LinkText, body: NewPasswordIn
) -> LinkOut:
    """Set the password of the account that a link belongs to.

    The link works once. All sessions and command-line logins of the account end.
    """
    response.headers["cache-control"] = "no-store"
    address = desk.sessions.guard.address(request)
    return LinkOut.model_validate(await links.use(desk, link, address, body.password, body.name))
