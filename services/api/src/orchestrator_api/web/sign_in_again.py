"""Signing in again over a page that is open."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.browser_sessions import form_token
from orchestrator_api.http.refusals import TooMany, Unauthenticated
from orchestrator_api.web import accounts, forms, pages, signed_out
from orchestrator_api.web.csrf import FormTokens
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.sign_in import WANTED
from orchestrator_api.web.urls import urls_of


async def sign_in_again(request: Request) -> Response:
    """The dialog and what it sends; in a tab of its own, the way back from the identity provider."""
    if request.method == "POST":
        return await _send(request)
    person = await accounts.present(request)
    if not pages.is_scripted(request):
        return _tab(request, is_signed_in=person is not None)
    if person is None:
        return signed_out.ask(request)
    return signed_out.go_on(request, person.person_id, person.csrf)


async def _send(request: Request) -> Response:
    fields = await forms.read(request)
    tokens: FormTokens = request.app.state.form_tokens
    if not tokens.is_ours(request, fields):
        return _form(request, fields, 403, problem="the form was too old: send it once more")
    accounts.desk_of(request).require_passwords()
    errors = forms.missing(fields, WANTED)
    if errors:
        return _form(request, fields, 422, errors=errors)
    try:
        session = await accounts.sign_in(request, fields["email"], fields["password"])
    except (Unauthenticated, TooMany) as error:
        status = 429 if isinstance(error, TooMany) else 401
        return _form(request, fields, status, problem=error.detail)
    response = signed_out.go_on(request, session.person_id, form_token(session.secret))
    accounts.keep(request, response, session)
    return response


def _form(request: Request, fields: Fields, status: int, **more: Any) -> Response:
    return signed_out.dialog(request, "parts/sign_in_again_refused", fields, status, **more)


def _tab(request: Request, *, is_signed_in: bool) -> Response:
    urls = urls_of(request)
    if not is_signed_in:
        return pages.go_to(urls("sign_in", query={"next": urls("sign_in_again")}))
    text = "Close this tab and go on where you were; nothing is lost there."
    return pages.message(request, "You are signed in", text)
