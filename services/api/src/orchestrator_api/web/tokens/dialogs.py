"""New and changed tokens: a preset for what only starts runs, scopes of one's own, and when they end."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import tokens
from orchestrator_api.access.models import TokenChangeIn, TokenIn
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.rows import Token, TokenChange
from orchestrator_api.access.tokens import TokenSpec
from orchestrator_api.catalog import listing as catalog
from orchestrator_api.catalog.rows import Configuration, ConfigurationFilter
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.paging import MAX_ITEMS, Part
from orchestrator_api.http.session import Session
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import again
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tokens import asked
from orchestrator_api.web.tokens.listing import SECTION, TOPIC
from orchestrator_api.web.tokens.secret import id_of, show_secret, url_of
from orchestrator_api.web.tokens.words import ALL, may
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR


async def new(request: Request) -> Response:
    """The form of a new token; what it sends is answered with the secret, once."""
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
            found = await _orchestrations(session)
        start = {f"{asked.START}{each}": "true" for each in request.query_params.getlist("start")}
        return _new_form(request, frame, found, values=Fields({**_AT_FIRST, **start}))
    fields = await entering.sent(request, is_large=True)
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as opened:
            session, frame = opened
            found = await _orchestrations(session)
            body = asked.body_of(fields, session.now, viewer_of(request).zone)
            spec = TokenSpec(**forms.checked(TokenIn, body).model_dump())
            made = await tokens.create(session, spec)
            text = (
                f"{made.name} was made when you sent this the first time, and its secret was shown then. "
                "If you did not see it, refresh the token, or revoke it and make a new one."
            )
            answers.only_once(request, text, TOPIC, to=url_of(request, "tokens"))
            return show_secret(request, frame, made)
    except UserError as error:
        return _new_form(request, frame, found, **again(error, fields, asked.places(fields)))


_AT_FIRST = {"preset": asked.ONLY_STARTS, "which": "some", "lasts": asked.USUAL_LIFETIME}


async def _orchestrations(session: Session) -> Sequence[Configuration]:
    part = Part(MAX_ITEMS).sorted_by("name", default="id")
    _, found = await catalog.page(session, ConfigurationFilter(ORCHESTRATOR), part)
    return found[:MAX_ITEMS]


def _new_form(
    request: Request, frame: Frame, found: Sequence[Configuration], status: int = 200, **values: Any
) -> Response:
    return pages.dialog(
        request,
        "tokens/new",
        status,
        title="New token",
        frame=frame,
        back=url_of(request, "tokens"),
        size="wide",
        orchestrations=found,
        lifetimes=asked.LIFETIMES,
        **values,
    )


async def edit(request: Request) -> Response:
    """Name, description and expiry; what a token may do never changes."""
    token_id = id_of(request)
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
            found = await tokens.find(session, token_id)
        return _edit_form(request, frame, found)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as opened:
            session, frame = opened
            found = await tokens.find(session, token_id)
            await _change(request, session, token_id, fields)
            return answers.done(request, frame, fields, f"{fields['name']} is saved.", TOPIC)
    except UserError as error:
        shown = again(error, fields, asked.places(fields))
        return _edit_form(request, frame, found, **shown)


async def _change(request: Request, session: Session, token_id: UUID, fields: Fields) -> None:
    given: dict[str, Any] = {"name": fields["name"].strip(), "description": fields["description"].strip()}
    sets_expiry = fields["lasts"] != "same"
    if sets_expiry:
        given["expires_at"] = asked.expiry(fields, session.now, viewer_of(request).zone)
    body = forms.checked(TokenChangeIn, given)
    await edits.check(session, Condition.seen(fields["etag"]), await tokens.target(session, token_id))
    await tokens.change(session, token_id, TokenChange(**body.model_dump(), sets_expiry=sets_expiry))


def _edit_form(request: Request, frame: Frame, found: Token, status: int = 200, **values: Any) -> Response:
    return pages.dialog(
        request,
        "tokens/edit",
        status,
        title=found.name,
        frame=frame,
        back=url_of(request, "tokens"),
        each=found,
        may=may(found, ALL),
        lifetimes=(("same", "As it is"), *asked.LIFETIMES),
        **values,
    )
