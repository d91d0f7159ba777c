"""What every answer of every service carries, and what every log line of its request does."""

import re
from contextvars import ContextVar
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator_shared import logging
from orchestrator_shared.domain.ids import new_id

REQUEST_ID = "x-request-id"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")
_WHOLE_ADDRESS = re.compile(rb"(?i:https?)://[^/]*(/.*)?", re.DOTALL)
_TRACEPARENT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CURRENT: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """The id of the request that is being answered, as its answer and its log lines have it."""
    return _CURRENT.get()


class Answers:
    """ASGI middleware: the request's id, and no place where an answer is kept or guessed at.

    A caller's well-formed id is taken over, so that one request can be followed through proxies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _with_path_alone(scope)
        headers = dict(scope["headers"])
        request_id = _taken(headers.get(REQUEST_ID.encode(), b""), _REQUEST_ID) or str(new_id())
        trace = _taken(headers.get(b"traceparent", b""), _TRACEPARENT)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message), request_id)
            await send(message)

        scope = {**scope, "state": {**scope.get("state", {}), "request_id": request_id}}
        token = _CURRENT.set(request_id)
        try:
            with logging.scope(
                request=request_id, method=scope["method"], path=scope["path"], traceparent=trace
            ):
                await self._app(scope, receive, answer)
        finally:
            _CURRENT.reset(token)


def _with_path_alone(scope: Scope) -> Scope:
    """`GET http://host/path` asks for /path: clients of proxies write so, and every server must take it."""
    found = _WHOLE_ADDRESS.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return scope
    raw_path = found[1] or b"/"
    return {**scope, "raw_path": raw_path, "path": unquote(raw_path.decode("ascii"))}


def _taken(value: bytes, pattern: re.Pattern[bytes]) -> str | None:
    return value.decode() if pattern.fullmatch(value) else None


def _complete(headers: MutableHeaders, request_id: str) -> None:
    headers[REQUEST_ID] = request_id
    headers["x-content-type-options"] = "nosniff"
    headers.setdefault("cache-control", "no-store")
