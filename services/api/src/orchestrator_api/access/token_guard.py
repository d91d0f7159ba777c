"""Whose token a request brings; wrong ones are counted, told of, and slowed down."""

import time
from dataclasses import dataclass

import structlog
from starlette.requests import Request

from orchestrator_api.access.attempts import TokenAttempts
from orchestrator_api.access.metrics import TOKENS_REFUSED
from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.runtime.addresses import TrustedProxies
from orchestrator_shared.security import hash_token

log = structlog.get_logger(__name__)

MOST_TOKEN_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of its sender."""

    token: str | None
    address: str


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """Stands before every look-up of a token."""

    attempts: TokenAttempts
    proxies: TrustedProxies

    def presented(self, request: Request) -> Presented:
        """The token of a request's header, and where it comes from."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return Presented(token.strip() if kind.lower() == "bearer" else None, self.address(request))

    def address(self, request: Request) -> str:
        """The sender's address: the peer's, or what trusted proxies say."""
        peer = request.client.host if request.client else ""
        return self.proxies.sender(peer, request.headers.getlist("x-forwarded-for"))

    def check(self, token: str, address: str) -> None:
        """Refuse to look up one more token from an address that showed many wrong ones."""
        wait = self.attempts.wait(address, hash_token(token), time.monotonic())
        if wait > 0:
            TOKENS_REFUSED.labels("too_many").inc()
            raise TooMany("too many wrong tokens came from your address", retry_after=wait)

    def good(self, token: str) -> None:
        """It was one of ours."""
        self.attempts.good(hash_token(token), time.monotonic())

    def wrong(self, address: str, reason: str) -> None:
        """It was not, or is not any more."""
        TOKENS_REFUSED.labels(reason).inc()
        if count := self.attempts.wrong(address, time.monotonic()):
            log.warning("token.refused", address=address, reason=reason, count=count)
