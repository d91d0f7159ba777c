"""What every log line of a request carries, and the trace that its messages continue."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator_shared import logging
from orchestrator_shared.domain.ids import new_id

_TRACEPARENT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext:
    """ASGI middleware: begins each request with a context of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = dict(scope["headers"]).get(b"traceparent", b"")
        trace = parent.decode() if _TRACEPARENT.fullmatch(parent) else None
        with logging.scope(request=new_id(), method=scope["method"], path=scope["path"], traceparent=trace):
            await self._app(scope, receive, send)
