"""The addresses of the pages; they are for people and not part of the API's description."""

from collections.abc import Sequence

from fastapi import FastAPI

from orchestrator_api.web.cli_login import cli_login
from orchestrator_api.web.csrf import FormTokens
from orchestrator_api.web.guarding import Handler, guarded
from orchestrator_api.web.link_pages import FORGOT_PASSWORD, forgot_password, link
from orchestrator_api.web.oidc import BEGIN, CALLBACK, PendingCookies, begin, callback
from orchestrator_api.web.sign_in import SIGN_IN, home, sign_in, sign_out

READ, BOTH, SEND = ["GET"], ["GET", "POST"], ["POST"]
PAGES: tuple[tuple[str, Handler, list[str]], ...] = (
    ("/", home, READ),
    (SIGN_IN, sign_in, BOTH),
    (BEGIN, begin, READ),
    (CALLBACK, callback, READ),
    ("/sign-out", sign_out, SEND),
    ("/links/{link}", link, BOTH),
    (FORGOT_PASSWORD, forgot_password, BOTH),
    ("/cli-login", cli_login, BOTH),
)


def install(app: FastAPI, *, is_https: bool, link_keys: Sequence[bytes]) -> None:
    """Serve the pages."""
    app.state.pending_cookies = PendingCookies(is_https=is_https)
    app.state.link_keys = tuple(link_keys)
    app.state.form_tokens = FormTokens(is_https=is_https)
    for path, handler, methods in PAGES:
        app.add_route(path, guarded(handler), methods=methods, include_in_schema=False)
