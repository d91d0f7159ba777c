"""Links from mails: they set a password. Opening one changes nothing; sending its form uses it up."""

from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.refusals import TooMany, Unauthenticated
from orchestrator_api.people import links, resets
from orchestrator_api.people.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from orchestrator_api.people.rows import OpenLink
from orchestrator_api.people.sign_in import SignIns
from orchestrator_api.web import accounts, forms, guarding, pages
from orchestrator_api.web.csrf import FormTokens
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.link_purposes import LinkPurpose

FORGOT_PASSWORD = "/forgot-password"  # noqa: S105  a path
SENT = (
    "If there is an account with this address, an e-mail is on its way. Its link works once, for a short "
    "time. Check your spam folder, too."
)
_WORDS = {
    LinkPurpose.INVITE: ("Welcome", "Set a password for your new account."),
    LinkPurpose.RESET: ("Set a new password", "This signs you out everywhere else."),
    LinkPurpose.FIRST: ("Welcome", "Set a password for the first administrator."),
}


async def link(request: Request) -> Response:
    """The form of a link, and what it sends; no other page learns the address."""
    response = await _link(request)
    response.headers.update(pages.NO_REFERRER)
    return response


async def _link(request: Request) -> Response:
    desk: SignIns = request.app.state.sign_ins
    address = desk.sessions.guard.address(request)
    try:
        opened = await links.look_at(desk, request.path_params["link"], address)
        if not desk.allows_passwords and opened.purpose is not LinkPurpose.FIRST:
            return _without_password(request, desk)
        if request.method != "POST":
            return _form(request, opened)
        return await _set_password(request, desk, opened, address)
    except NotFound:
        return pages.message(
            request,
            "This link does not work",
            "Links work once and for a limited time. Ask for a new one, or sign in.",
            ("forgot_password", "Get a new link"),
            ("sign_in", "Sign in"),
            status=404,
        )


async def _set_password(request: Request, desk: SignIns, opened: OpenLink, address: str) -> Response:
    fields = await forms.read(request)
    tokens: FormTokens = request.app.state.form_tokens
    if not tokens.is_ours(request, fields):
        return guarding.foreign(request)
    errors = _wrong(fields)
    if errors:
        return _form(request, opened, errors)
    await links.use(desk, request.path_params["link"], address, fields["password"], None)
    try:
        session = await accounts.sign_in_with_new_password(request, opened.email, fields["password"])
    except (Unauthenticated, TooMany):
        return pages.go_to(urls_of(request)("sign_in"))
    response = pages.go_to(urls_of(request)("home"))
    accounts.keep(request, response, session)
    return response


def _without_password(request: Request, desk: SignIns) -> Response:
    """An invitation leads to the identity provider where passwords are switched off."""
    assert desk.provider is not None
    name = desk.provider.settings.name
    text = f"You need no password here: sign in with {name}."
    return pages.message(request, "Sign in", text, ("oidc", f"Sign in with {name}"))


def _wrong(fields: Fields) -> Fields:
    if len(fields["password"]) < MIN_CHARACTERS:
        return Fields(password=f"use at least {MIN_CHARACTERS} characters: a sentence works well")
    if len(fields["password"]) > MAX_CHARACTERS:
        return Fields(password=f"use at most {MAX_CHARACTERS} characters")
    if fields["password"] != fields["repeated"]:
        return Fields(repeated="this is not the same password: enter it again")
    return Fields()


def _form(request: Request, opened: OpenLink, errors: Fields | None = None) -> Response:
    title, text = _WORDS[opened.purpose]
    tokens: FormTokens = request.app.state.form_tokens
    return tokens.page(
        request,
        "link",
        422 if errors else 200,
        title=title,
        text=text,
        email=opened.email,
        hint=f"At least {MIN_CHARACTERS} characters. A sentence works well.",
        errors=errors or Fields(),
    )


async def forgot_password(request: Request) -> Response:
    """Asks for a mail; the answer is the same whether or not there is an account."""
    desk: SignIns = request.app.state.sign_ins
    if not desk.allows_passwords:
        return _without_password(request, desk)
    if request.method != "POST":
        return _forgot_form(request, Fields())
    fields = await forms.read(request)
    tokens: FormTokens = request.app.state.form_tokens
    if not tokens.is_ours(request, fields):
        return guarding.foreign(request)
    errors = forms.missing(fields, {"email": "enter your address"})
    if errors:
        return _forgot_form(request, fields, 422, errors=errors)
    address = desk.sessions.guard.address(request)
    try:
        resets.accept(desk, address)
    except TooMany as error:
        return guarding.wait(_forgot_form(request, fields, 429, problem=error.detail), error)
    response = pages.message(request, "Check your e-mail", SENT, ("sign_in", "Back to sign-in"))
    response.background = BackgroundTask(resets.send, desk, fields["email"], address)
    return response


def _forgot_form(request: Request, values: Fields, status: int = 200, **more: Any) -> Response:
    tokens: FormTokens = request.app.state.form_tokens
    return tokens.page(
        request, "forgot_password", status, title="Forgot your password?", values=values, **more
    )
