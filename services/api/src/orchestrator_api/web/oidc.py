"""Signing in with the identity provider: to it, and back."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.people import provider_sign_in
from orchestrator_api.people.oidc import pending
from orchestrator_api.people.oidc.endpoints import ProviderUnavailable
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.people.oidc.provider import CALLBACK as CALLBACK
from orchestrator_api.people.oidc.provider import Provider, printable
from orchestrator_api.people.provider_sign_in import ProviderAnswer
from orchestrator_api.web import accounts, pages
from orchestrator_api.web.own_paths import own_path
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound

BEGIN = "/sign-in/oidc"
MAX_ERROR_CHARACTERS = 100


class PendingCookies:
    """Keeps a sign-in in the browser while the person is at the provider."""

    def __init__(self, *, is_https: bool) -> None:
        self._is_https = is_https
        self._name = "__Host-orchestrator-oidc" if is_https else "orchestrator-oidc"

    def keep(self, request: Request, response: Response, sign_in: PendingSignIn) -> None:
        """Give it to the browser; `Lax` cookies come along when the provider sends the person back."""
        text = sign_in.sign(request.app.state.link_keys[0], request.app.state.sessions.clock.now())
        self._set(response, text, int(pending.LIFETIME.total_seconds()))

    def read(self, request: Request) -> PendingSignIn | None:
        """The sign-in that this browser has begun."""
        cookie = request.cookies.get(self._name, "")
        return pending.read(request.app.state.link_keys, cookie, request.app.state.sessions.clock.now())

    def forget(self, response: Response) -> None:
        """A sign-in is answered once."""
        self._set(response, "", 0)

    def _set(self, response: Response, text: str, seconds: int) -> None:
        response.set_cookie(
            self._name, text, max_age=seconds, secure=self._is_https, httponly=True, samesite="lax"
        )


def _provider(request: Request) -> Provider:
    provider = accounts.desk_of(request).provider
    if provider is None:
        raise NotFound("this installation has no identity provider")
    return provider


async def begin(request: Request) -> Response:
    """Send the person to the provider."""
    next_path = request.query_params.get("next")
    sign_in = PendingSignIn.to(own_path(next_path, urls_of(request).prefix))
    try:
        url = await provider_sign_in.begin(_provider(request), sign_in)
    except ProviderUnavailable:
        return _unavailable(request)
    response = pages.go_to(url)
    cookies: PendingCookies = request.app.state.pending_cookies
    cookies.keep(request, response, sign_in)
    return response


async def callback(request: Request) -> Response:
    """The person comes back with a code, or with the provider's refusal."""
    provider = _provider(request)
    cookies: PendingCookies = request.app.state.pending_cookies
    try:
        response = await _answered(request, provider, cookies.read(request))
    except ProviderUnavailable:
        response = _unavailable(request)
    except Forbidden as error:
        response = _refused(request, error)
    cookies.forget(response)
    return response


async def _answered(request: Request, provider: Provider, sign_in: PendingSignIn | None) -> Response:
    given = request.query_params
    error = printable(given.get("error"), MAX_ERROR_CHARACTERS) or "it sent no code"
    answer = ProviderAnswer(given.get("state", ""), given.get("code", ""), error)
    desk, sender = accounts.desk_of(request), accounts.sender_of(request)
    opened = await provider_sign_in.sign_in(desk, provider, sign_in, answer, sender)
    response = pages.go_to(urls_of(request)("home") if sign_in is None else sign_in.path)
    accounts.keep(request, response, opened)
    return response


def _refused(request: Request, error: Forbidden) -> Response:
    detail = error.detail[:1].upper() + error.detail[1:]
    return pages.message(
        request, "You are not signed in", f"{detail}.", ("sign_in", "Sign in again"), status=403
    )


def _unavailable(request: Request) -> Response:
    text = "The identity provider does not answer. Try again soon."
    if accounts.desk_of(request).allows_passwords:
        text += " If you have a password here, you can sign in with it."
    return pages.message(request, "Not now", text, ("sign_in", "Back to sign-in"), status=503)
