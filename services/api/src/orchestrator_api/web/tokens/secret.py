"""The secret of a token: shown once, replaced, and ended."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import tokens
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.rows import CreatedToken
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.address_parts import id_part
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.tokens.listing import SECTION, TOPIC
from orchestrator_api.web.tokens.words import ALL, may
from orchestrator_api.web.urls import urls_of


def url_of(request: Request, page: str) -> str:
    """The address of a page of this project."""
    return urls_of(request)(page, project=request.path_params["project"])


def id_of(request: Request) -> UUID:
    """The token of the address."""
    return id_part(request, "token", "there is no token {} in this project")


def show_secret(request: Request, frame: Frame, made: CreatedToken) -> Response:
    """The secret, this once; the list behind it is fetched again."""
    response = pages.dialog(
        request,
        "tokens/secret",
        title=f"{made.name} is ready",
        frame=frame,
        back=url_of(request, "tokens"),
        each=made,
        may=may(made, ALL),
    )
    answers.tell(response, TOPIC)
    return response


async def refresh(request: Request) -> Response:
    """A new secret, once that is confirmed."""
    if request.method != "POST":
        return await _ask(request, "tokens/refresh", "Refresh")
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
        made = await tokens.refresh(session, id_of(request))
        text = (
            f"{made.name} got a new secret when you sent this the first time, and it was shown then. "
            "If you did not see it, refresh the token again."
        )
        answers.only_once(request, text, TOPIC, to=url_of(request, "tokens"))
        return show_secret(request, frame, made)


async def revoke(request: Request) -> Response:
    """The end of a token, once that is confirmed."""
    if request.method != "POST":
        return await _ask(request, "tokens/revoke", "Revoke")
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
        found = await tokens.find(session, id_of(request))
        await tokens.revoke(session, found.id)
        return answers.done(request, frame, fields, f"{found.name} is revoked.", TOPIC)


async def _ask(request: Request, template: str, verb: str) -> Response:
    async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
        found = await tokens.find(session, id_of(request))
    back = url_of(request, "tokens")
    title = f"{verb} {found.name}?"
    return pages.dialog(
        request, template, title=title, frame=frame, back=back, each=found, may=may(found, ALL)
    )
