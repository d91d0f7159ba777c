"""Reads and checks request bodies: size, time, JSON, characters that cannot be stored, the model."""

import asyncio
import json
import math
import re
from collections.abc import Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.types import Receive, Scope

from orchestrator_api.http.refusals import FieldError
from orchestrator_shared.definitions.bounded import ErrorBudget
from orchestrator_shared.domain.errors import OrchestratorError

MAX_BYTES = 1024 * 1024
MAX_ELEMENTS = 100_000
"""The most values in one body: 1 MiB of `[0,0,…]` would become half a million Python objects."""
MAX_DEPTH = 100
MAX_SHOWN_PATH = 200
ARRIVAL_SECONDS = 30.0

_SURROGATES = re.compile("[\ud800-\udfff]")


class Refused(OrchestratorError):
    """The request is rejected before it reaches a route."""

    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [FieldError(field, detail)] if field else []


class _InvalidValue(Exception):
    """A value that cannot be stored.

    The path is collected as the exception propagates, so valid bodies do not pay for it.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.parts: list[str] = []

    def path(self) -> str:
        path, parts = "", self.parts
        while parts and len(path) < MAX_SHOWN_PATH:
            part = parts.pop()[:MAX_SHOWN_PATH]
            path = f"{path}.{part}" if path else part
        return path[:MAX_SHOWN_PATH] or "body"


def check_address(scope: Scope) -> None:
    """Refuse a NUL character in the URL, which PostgreSQL cannot store or compare."""
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        raise Refused(422, "the address contains a NUL character (%00)", "url")


async def read(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """Read the whole body, within the limits of size and time."""
    return await _in_time(_read(scope, receive, max_bytes))


async def _in_time(reading: Coroutine[None, None, bytes]) -> bytes:
    """Limit the time: some endpoints need no token, and a slow sender must not hold a connection for ever."""
    try:
        return await asyncio.wait_for(reading, ARRIVAL_SECONDS)
    except TimeoutError:
        detail = f"the body did not arrive within {ARRIVAL_SECONDS:g} seconds: send a smaller body"
        raise Refused(408, detail, "body") from None


async def _read(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    headers = dict(scope["headers"])
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        raise Refused(
            415, "Content-Encoding is not supported: send the body uncompressed", "Content-Encoding"
        )
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > max_bytes:
            raise _too_large(max_bytes)
    return b"".join(chunks)


def _too_large(max_bytes: int) -> Refused:
    return Refused(
        413,
        f"the body is larger than {max_bytes} bytes ({max_bytes // 1024} KiB): send less at a time",
        "body",
    )


def validate(body: bytes, model: TypeAdapter[Any] | None) -> Any:
    """Convert a body to the route's model, if it has one; refuse it with at most 50 errors.

    Pure, with work bounded by `MAX_ELEMENTS`: large bodies are checked in a thread.
    """
    value = parse(body)
    if model is None:
        return value
    try:
        return model.validate_python(value, context=ErrorBudget())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None


def parse(body: bytes) -> Any:
    """Parse a body as JSON; refuse what is not JSON, has too many values, or cannot be stored."""
    _check_elements(body)
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        detail = f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise Refused(400, detail, f"body:{error.lineno}:{error.colno}") from None
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not valid UTF-8 (byte {error.start})", "body") from None
    except RecursionError:
        raise Refused(400, f"the JSON is nested deeper than {MAX_DEPTH} levels", "body") from None
    except ValueError as error:  # numbers with thousands of digits
        raise Refused(400, f"malformed JSON: {str(error)[:200]}", "body") from None
    try:
        _check_value(value, 0)
    except _InvalidValue as invalid:
        raise Refused(422, invalid.detail, invalid.path()) from None
    return value


def _check_elements(body: bytes) -> None:
    """Count the values without building any: each one but the first follows a comma or an opening bracket."""
    if _count_separators(body) > MAX_ELEMENTS and _count_separators(_without_strings(body)) > MAX_ELEMENTS:
        raise Refused(413, f"the body has more than {MAX_ELEMENTS} values: send less at a time", "body")


def _count_separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _without_strings(body: bytes) -> bytes:
    """The text outside quotes.

    Not a regular expression: for an unclosed string, it would search again from every quote.
    """
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * MAX_ELEMENTS:  # a value has at most one key, and each of them has two quotes
        return body
    return b"".join(plain.split(b'"')[::2])


def _refuse_constant(name: str) -> Any:
    raise Refused(400, f"malformed JSON: {name} is not a JSON number", "body")


def _check_value(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _InvalidValue("the number is too large")
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise _InvalidValue(f"nested deeper than {MAX_DEPTH} levels")
        _check_items(value, depth)


def _check_items(value: dict[str, Any] | list[Any], depth: int) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        try:
            _check_value(item, depth + 1)
        except _InvalidValue as invalid:
            invalid.parts.append(str(key))
            raise
    if isinstance(value, dict):
        for name in value:
            _check_text(name)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise _InvalidValue("contains the NUL character (\\u0000), which cannot be stored")
    if not text.isascii() and _SURROGATES.search(text):
        raise _InvalidValue("contains an unpaired surrogate, which is not valid text")
