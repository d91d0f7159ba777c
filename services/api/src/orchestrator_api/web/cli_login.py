"""The command line's login in the browser: a person confirms, and the code goes to their own computer."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web import accounts, forms, guarding, pages
from orchestrator_api.web.cli_codes import ConfirmedLogin, LoginWish
from orchestrator_api.web.csrf import FIELD
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.sign_in import SIGN_IN
from orchestrator_shared.domain.ids import new_id

PARTS = ("state", "challenge", "port", "name")


async def cli_login(request: Request) -> Response:
    """What the command line asks for, and the person's answer."""
    if request.method != "POST":
        return await _ask(request)
    fields = await forms.read(request)
    person = await accounts.present(request)
    if person is None or not person.sent(request, fields[FIELD]):
        return guarding.foreign()
    wish = _wish(fields)
    if wish is None:
        return _unreadable()
    login = ConfirmedLogin(new_id(), person.person_id, person.session_id, wish.challenge, wish.name)
    code = login.sign(request.app.state.link_keys[0], request.app.state.sessions.clock.now())
    return pages.go_to(wish.callback(code))


async def _ask(request: Request) -> Response:
    wish = _wish(Fields(request.query_params))
    if wish is None:
        return _unreadable()
    person = await accounts.present(request)
    if person is None:
        here = f"{request.url.path}?{request.url.query}"
        return pages.go_to(f"{SIGN_IN}?next={quote(here, safe='')}")
    return pages.page(
        "cli_login",
        form_targets=(wish.origin,),
        title="Sign in the command line",
        wish=wish,
        email=person.email,
        csrf=person.csrf,
    )


def _wish(fields: Fields) -> LoginWish | None:
    return LoginWish.read(*(fields[part] for part in PARTS))


def _unreadable() -> Response:
    text = "This address is not complete. Start orchestrator login again."
    return pages.message("This login cannot be read", text, status=422)
