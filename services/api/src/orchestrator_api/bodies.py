"""Bodies are read and judged before any route: size, JSON, characters that cannot be stored."""

import asyncio
import json
import math
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator_api.domain.refusals import FieldError
from orchestrator_api.problems import problem
from orchestrator_shared.domain.errors import OrchestratorError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
ARRIVAL_SECONDS = 30.0


class _Refused(OrchestratorError):
    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [FieldError(field, detail)] if field else []


class BodyGuard:
    """ASGI middleware: routes see only bodies that are whole, small, well-formed and storable."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            body = await _in_time(_read(scope, receive))
            if body:
                check_json(body)
        except _Refused as refused:
            await problem(refused.status, refused.detail, refused.errors)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _check_address(scope: Scope) -> None:
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        raise _Refused(422, "the address contains a NUL character (%00)", "url")


async def _in_time(reading: Coroutine[None, None, bytes]) -> bytes:
    """Some addresses need no token: whoever sends byte by byte must not hold a connection for ever."""
    try:
        return await asyncio.wait_for(reading, ARRIVAL_SECONDS)
    except TimeoutError:
        detail = f"the body did not arrive within {ARRIVAL_SECONDS:g} seconds: send less at once"
        raise _Refused(408, detail, "body") from None


async def _read(scope: Scope, receive: Receive) -> bytes:
    length = dict(scope["headers"]).get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > MAX_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > MAX_BYTES:
            raise _too_large()
    return b"".join(chunks)


def _too_large() -> _Refused:
    return _Refused(413, f"the body is larger than {MAX_BYTES} bytes (1 MiB): send less at once", "body")


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def check_json(body: bytes) -> None:
    """Refuse what is no JSON, and what PostgreSQL could not store."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        detail = f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise _Refused(400, detail, f"body:{error.lineno}:{error.colno}") from None
    except UnicodeDecodeError as error:
        raise _Refused(400, f"the body is no UTF-8: byte {error.start} is wrong", "body") from None
    except RecursionError:
        raise _Refused(400, f"the JSON is nested deeper than {MAX_DEPTH} levels", "body") from None
    except ValueError as error:  # numbers of thousands of digits
        raise _Refused(400, f"malformed JSON: {str(error)[:200]}", "body") from None
    _check_value(value, "", 0)


def _no_constant(name: str) -> Any:
    raise _Refused(400, f"malformed JSON: {name} is no JSON number", "body")


def _check_value(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _Refused(422, f"nested deeper than {MAX_DEPTH} levels", path[:200])
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _Refused(422, "the number is too large", path or "body")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, path)
            _check_value(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_value(item, f"{path}.{index}" if path else str(index), depth + 1)


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise _Refused(422, "contains the NUL character (\\u0000), which cannot be stored", path or "body")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _Refused(422, "contains half of a surrogate pair, which is no text", path or "body")
