"""Signing in and out."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.refusals import TooMany, Unauthenticated
from orchestrator_api.web import accounts, forms, guarding, pages
from orchestrator_api.web.csrf import FIELD, FormTokens
from orchestrator_api.web.own_paths import own_path
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.signed_out import ways
from orchestrator_api.web.urls import urls_of

WANTED = {"email": "enter your address", "password": "enter your password"}


async def sign_in(request: Request) -> Response:
    """The form, and what it sends."""
    if request.method != "POST":
        return _form(request, Fields(next=request.query_params.get("next", "")))
    fields = await forms.read(request)
    tokens: FormTokens = request.app.state.form_tokens
    if not tokens.is_ours(request, fields):
        return guarding.foreign(request)
    accounts.desk_of(request).require_passwords()
    errors = forms.missing(fields, WANTED)
    if errors:
        return _form(request, fields, 422, errors=errors)
    try:
        session = await accounts.sign_in(request, fields["email"], fields["password"])
    except Unauthenticated as error:
        return _form(request, fields, 401, problem=error.detail)
    except TooMany as error:
        return guarding.wait(_form(request, fields, 429, problem=error.detail), error)
    response = pages.go_to(own_path(fields["next"], urls_of(request).prefix))
    accounts.keep(request, response, session)
    return response


async def sign_out(request: Request) -> Response:
    """Ends the session; also without one, the way leads to signing in."""
    fields = await forms.read(request)
    person = await accounts.present(request)
    if person is not None:
        if not person.sent(request, fields[FIELD]):
            return guarding.foreign(request)
        await accounts.sign_out(request)
    response = pages.go_to(urls_of(request)("sign_in"))
    accounts.forget(request, response)
    return response


def _form(request: Request, values: Fields, status: int = 200, **more: Any) -> Response:
    tokens: FormTokens = request.app.state.form_tokens
    path = own_path(values["next"], urls_of(request).prefix)
    shown = {"title": "Sign in", "values": values, "next": path, "host": _host(request)}
    return tokens.page(request, "sign_in", status, **shown, **ways(request, path), **more)


def _host(request: Request) -> str:
    """Where one signs in, as the operator says it."""
    public_url = accounts.desk_of(request).sessions.guard.browsers.public_url
    return urlsplit(public_url).netloc if public_url else ""
