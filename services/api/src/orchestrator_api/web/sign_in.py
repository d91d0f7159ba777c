"""Signing in and out, and the page in between."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.refusals import TooMany, Unauthenticated
from orchestrator_api.web import accounts, forms, guarding, pages
from orchestrator_api.web.csrf import FIELD, FormTokens
from orchestrator_api.web.oidc import BEGIN
from orchestrator_api.web.own_paths import own_path
from orchestrator_api.web.pages import Fields

SIGN_IN = "/sign-in"
WANTED = {"email": "enter your address", "password": "enter your password"}


async def home(request: Request) -> Response:
    """Who is signed in; the way to signing in for everyone else."""
    person = await accounts.present(request)
    if person is None:
        return pages.go_to(SIGN_IN)
    return pages.page("home", title="Orchestrator", email=person.email, csrf=person.csrf)


async def sign_in(request: Request) -> Response:
    """The form, and what it sends."""
    if request.method != "POST":
        return _form(request, Fields(next=own_path(request.query_params.get("next"))))
    fields = await forms.read(request)
    tokens: FormTokens = request.app.state.form_tokens
    if not tokens.is_ours(request, fields):
        return guarding.foreign()
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
    response = pages.go_to(own_path(fields["next"]))
    accounts.keep(request, response, session)
    return response


async def sign_out(request: Request) -> Response:
    """Ends the session; also without one, the way leads to signing in."""
    fields = await forms.read(request)
    person = await accounts.present(request)
    if person is not None:
        if not person.sent(request, fields[FIELD]):
            return guarding.foreign()
        await accounts.sign_out(request)
    response = pages.go_to(SIGN_IN)
    accounts.forget(request, response)
    return response


def _form(request: Request, values: Fields, status: int = 200, **more: Any) -> Response:
    tokens: FormTokens = request.app.state.form_tokens
    path = own_path(values["next"])
    desk = accounts.desk_of(request)
    ways = {"has_passwords": desk.allows_passwords, "provider": None, "provider_url": ""}
    if desk.provider is not None:
        address = f"{BEGIN}?next={quote(path, safe='')}"
        ways |= {"provider": desk.provider.settings.name, "provider_url": address}
    return tokens.page(request, "sign_in", status, title="Sign in", values=values, next=path, **ways, **more)
