"""Refuses the requests of a token that sends too many, before anything is looked up for them."""

import math
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator_api.http.metrics import REQUESTS_LIMITED
from orchestrator_api.http.problems import from_user_error
from orchestrator_api.http.rate_limits import Allowance, RateLimits
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.http.session import Sessions
from orchestrator_shared.security import hash_token
from orchestrator_shared.settings import variable


class Limiting:
    """ASGI middleware: says in every answer to a token or session how many requests are left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sessions: Sessions | None = scope["app"].state.sessions if scope["type"] == "http" else None
        if sessions is None or sessions.limits is None:
            await self._app(scope, receive, send)
            return
        presented = sessions.guard.presented(Request(scope))
        secret = presented.session or presented.token
        if not secret:  # refused, or an open call with limits of its own
            await self._app(scope, receive, send)
            return
        limits = sessions.limits
        allowance = limits.take(hash_token(secret), time.monotonic())

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(MutableHeaders(scope=message), limits, allowance)
            await send(message)

        if allowance.is_allowed:
            await self._app(scope, receive, answer)
        else:
            REQUESTS_LIMITED.inc()
            await from_user_error(_too_many(limits, allowance))(scope, receive, answer)


def _tell(headers: MutableHeaders, limits: RateLimits, allowance: Allowance) -> None:
    """The fields of draft-ietf-httpapi-ratelimit-headers."""
    window = max(1, math.ceil(limits.burst / limits.per_second))
    headers["ratelimit-policy"] = f'"token";q={limits.burst};w={window}'
    headers["ratelimit"] = f'"token";r={allowance.remaining};t={math.ceil(allowance.seconds_to_wait)}'


def _too_many(limits: RateLimits, allowance: Allowance) -> TooMany:
    return TooMany(
        f"you sent more than {limits.per_second} requests a second with this token; spread them out, ask for "
        f"larger pages, or ask the operator to raise {variable('requests_per_second')} or "
        f"{variable('requests_burst')}",
        retry_after=max(allowance.seconds_to_wait, 0.001),
    )
