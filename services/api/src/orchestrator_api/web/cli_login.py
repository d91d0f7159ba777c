"""The command line's login in the browser: a person confirms, and the code goes to their own computer."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web import accounts, forms, guarding, pages
from orchestrator_api.web.cli_codes import ConfirmedLogin, LoginWish
from orchestrator_api.web.csrf import FIELD
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.ids import new_id

PARTS = ("state", "challenge", "port", "name")


async def cli_login(request: Request) -> Response:
    """What the command line asks for, and the person's answer."""
    if request.method != "POST":
        return await _ask(request)
    fields = await forms.read(request)
    person = await accounts.present(request)
    if person is None or not person.sent(request, fields[FIELD]):
        return guarding.foreign(request)
    wish = _wish(fields)
    if wish is None:
        return _unreadable(request)
    login = ConfirmedLogin(new_id(), person.person_id, person.session_id, wish.challenge, wish.name)
    code = login.sign(request.app.state.link_keys[0], request.app.state.sessions.clock.now())
    return pages.go_to(wish.callback(code))


async def _ask(request: Request) -> Response:
    wish = _wish(Fields(request.query_params))
    if wish is None:
        return _unreadable(request)
    person = await accounts.present(request)
    if person is None:
        return pages.go_to(urls_of(request)("sign_in", query={"next": pages.here(request)}))
    return pages.page(
        request,
        "cli_login",
        form_targets=(wish.origin,),
        title="Sign in the command line",
        wish=wish,
        email=person.email,
        csrf=person.csrf,
    )


def _wish(fields: Fields) -> LoginWish | None:
    return LoginWish.read(*(fields[part] for part in PARTS))


def _unreadable(request: Request) -> Response:
    text = "This address is not complete. Start orchestrator login again."
    return pages.message(request, "This login cannot be read", text, status=422)
