"""Checks the token of a request; counts, reports and slows down invalid ones."""

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from starlette.requests import Request

from orchestrator_api.access.attempts import TokenAttempts
from orchestrator_api.access.browser_sessions import (
    MAX_SECRET_CHARACTERS,
    SAFE_METHODS,
    BrowserSessions,
    RequestOrigin,
    is_csrf_token,
)
from orchestrator_api.access.metrics import TOKENS_REFUSED
from orchestrator_api.access.refusal_sampling import RefusalSampling
from orchestrator_api.http.headers import CSRF_TOKEN
from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.runtime.addresses import TrustedProxies
from orchestrator_shared.security import hash_token

log = structlog.get_logger(__name__)

MAX_TOKEN_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request reveals about its sender."""

    token: str | None
    address: str
    session: str | None = None
    """The secret in the cookie of a browser's session."""
    forgery: str | None = None
    """Why another site might have made the browser send this."""
    operation: str = "page"
    """The operation id of what is asked for; pages for people have none."""


@dataclass(frozen=True, slots=True)
class EndedToken:
    """A token that was valid once."""

    id: UUID
    name: str
    project: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Invalid tokens from one address that shall be recorded: their number, and the last one."""

    reason: str
    count: int
    token: EndedToken | None


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """Limits how often one address may present invalid tokens."""

    attempts: TokenAttempts
    proxies: TrustedProxies
    job_token_keys: tuple[bytes, ...]
    browsers: BrowserSessions = field(default_factory=BrowserSessions)
    sampling: RefusalSampling = field(default_factory=RefusalSampling)
    forbidden: RefusalSampling = field(default_factory=RefusalSampling)
    """Which calls that a valid token or session does not permit get a record, by sender and operation."""
    _unrecorded: dict[str, Refused] = field(default_factory=dict)
    """By address; each is taken by the request that is being refused."""

    def presented(self, request: Request) -> Presented:
        """The token in a request's header, or else a session's secret, and the address it comes from."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        address, operation = self.address(request), _operation(request)
        if kind.lower() == "bearer":
            return Presented(token.strip(), address, operation=operation)
        secret = request.cookies.get(self.browsers.cookie_name)
        if not secret or len(secret) > MAX_SECRET_CHARACTERS:
            return Presented(None, address, operation=operation)
        return Presented(None, address, secret, self._forgery(request, secret), operation)

    def _forgery(self, request: Request, secret: str) -> str | None:
        if request.method in SAFE_METHODS:
            return None
        if not self.is_same_origin(request):
            return "it came from another site"
        if not is_csrf_token(secret, request.headers.get(CSRF_TOKEN)):
            return f"the header {CSRF_TOKEN} is not the session's own: see GET /v1/sessions/current"
        return None

    def is_same_origin(self, request: Request) -> bool:
        """Whether one of our own pages sent the request."""
        headers = request.headers
        sender = RequestOrigin(headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", ""))
        return self.browsers.is_same_origin(sender)

    def address(self, request: Request) -> str:
        """The sender's address: the peer's, or the one that trusted proxies report."""
        peer = request.client.host if request.client else ""
        return self.proxies.sender(peer, request.headers.getlist("x-forwarded-for"))

    def check(self, token: str, address: str) -> None:
        """Refuse to look up another token from an address that has presented too many invalid ones."""
        wait = self.attempts.seconds_to_wait(address, hash_token(token), time.monotonic())
        if wait > 0:
            TOKENS_REFUSED.labels("too_many").inc()
            raise TooMany("too many invalid tokens from your address", retry_after=wait)

    def record_success(self, token: str) -> None:
        """Record that the token was valid."""
        self.attempts.record_success(hash_token(token), time.monotonic())

    def record_failure(self, address: str, reason: str, token: EndedToken | None = None) -> None:
        """Count an invalid token; at most once a minute, log how many came from the address."""
        TOKENS_REFUSED.labels(reason).inc()
        now = time.monotonic()
        if count := self.attempts.record_failure(address, now):
            log.warning("token.refused", address=address, reason=reason, count=count)
            if total := self.sampling.count(address, count, now):
                self._unrecorded[address] = Refused(reason, total, token)

    def take_unrecorded(self, address: str) -> Refused | None:
        """What of this address shall be written to the audit log now."""
        return self._unrecorded.pop(address, None)


def _operation(request: Request) -> str:
    return getattr(request.scope.get("route"), "operation_id", None) or "page"
