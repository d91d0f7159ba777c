"""Forms of people who are not signed in: only pages of ours may send them.

A random text in a cookie that scripts cannot read has to come back in a hidden field; other sites can neither
read nor set it. Whoever is signed in has a token of the session instead.
"""

import hmac
import re
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.session import Sessions
from orchestrator_api.web import pages
from orchestrator_api.web.pages import Fields

FIELD = "csrf"
LIFETIME_SECONDS = 24 * 3600
_TEXT = re.compile(r"[A-Za-z0-9_-]{43}")


class FormTokens:
    """Named and marked for HTTPS where people reach the api over HTTPS."""

    def __init__(self, *, is_https: bool) -> None:
        self._is_https = is_https
        self._name = "__Host-orchestrator-form" if is_https else "orchestrator-form"

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        """A page with a form, and its text for form and browser."""
        token = self._kept(request) or secrets.token_urlsafe(32)
        response = pages.page(request, name, status, csrf=token, **values)
        response.set_cookie(
            self._name,
            token,
            max_age=LIFETIME_SECONDS,
            secure=self._is_https,
            httponly=True,
            samesite="lax",
        )
        return response

    def is_ours(self, request: Request, fields: Fields) -> bool:
        """Whether a page of ours sent the form; one without a referrer has the origin `null`."""
        sessions: Sessions = request.app.state.sessions
        says_nothing = "sec-fetch-site" not in request.headers and request.headers.get("origin") == "null"
        if not says_nothing and not sessions.guard.is_same_origin(request):
            return False
        kept = self._kept(request)
        return kept is not None and hmac.compare_digest(kept.encode(), fields[FIELD].encode())

    def _kept(self, request: Request) -> str | None:
        text = request.cookies.get(self._name, "")
        return text if _TEXT.fullmatch(text) else None
