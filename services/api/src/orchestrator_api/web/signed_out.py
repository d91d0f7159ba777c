"""What a page that is open is answered once its session has ended: a dialog, so that nothing typed is lost.

Once somebody has signed in there, the page hears who it is and which token forms have to send from now on
(`static/js/session.js`).
"""

import json
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web import accounts, pages
from orchestrator_api.web.csrf import FormTokens
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of

PLACE = "#again"
CHECK = {"session:check": {"target": PLACE}}
"""Makes the page ask who is signed in by now."""


def ask(request: Request) -> Response:
    """The dialog; one that is open stays as it is."""
    return dialog(request, "parts/sign_in_again", Fields(), 401)


def dialog(request: Request, part: str, fields: Fields, status: int, **more: Any) -> Response:
    """The dialog or, once it is there, its form."""
    tokens: FormTokens = request.app.state.form_tokens
    shown = {"values": fields, **ways(request, urls_of(request)("sign_in_again")), **more}
    return _unmoved(tokens.page(request, part, status, **shown))


def check(response: Response) -> Response:
    """The answer to a form of another session than the browser's."""
    response.headers["hx-trigger"] = json.dumps(CHECK)
    return response


def go_on(request: Request, person: UUID, csrf: str) -> Response:
    """Tell the page who is signed in now."""
    response = _unmoved(pages.page(request, "parts/signed_in_again"))
    told = {"session:again": {"target": PLACE, "person": str(person), "csrf": csrf}}
    response.headers["hx-trigger"] = json.dumps(told)
    return response


def ways(request: Request, path: str) -> dict[str, Any]:
    """How one signs in here; the identity provider's way leads to this path."""
    desk = accounts.desk_of(request)
    if desk.provider is None:
        return {"has_passwords": desk.allows_passwords, "provider": None, "provider_url": ""}
    url = urls_of(request)("oidc", query={"next": path})
    return {
        "has_passwords": desk.allows_passwords,
        "provider": desk.provider.settings.name,
        "provider_url": url,
    }


def _unmoved(response: Response) -> Response:
    """Whatever the request would have made of the page's address."""
    response.headers["hx-push-url"] = response.headers["hx-replace-url"] = "false"
    return response
