"""Fills in request templates by plain substitution; no value can turn one request into another."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from orchestrator_shared.definitions.http_component import PLACEHOLDER, Headers, HttpRequest, check_headers
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.reports import InvalidReport
from orchestrator_shared.http_transport.address import Address, default_port

MISSING: Any = object()
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9a-fA-F:.]{2,45}")
_OPTIONAL = frozenset({"state", "previous_success"})
"""Values that a configuration's first run does not have yet; replaced by nothing."""
_MIN_TARGET = 8
"""Shorter paths, such as /, occur in many addresses."""
_SAFE_IN_URL = "%/:=&?~+!$,;'@()*[]"

Names = Mapping[str, Any]
"""What placeholders refer to; paths lead into `parameters`, `state` and `start`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with all placeholders filled in."""

    method: str
    address: Address
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    timeout_seconds: float


def prepare(request: HttpRequest, common: Headers, names: Names, *, field: str) -> Prepared:
    """Fill in a request; raises UserError, or InvalidReport if an answer lacks what is needed."""
    body = render_value(request.body, names, field=f"{field}.body")
    headers = {name.lower(): (name, value) for name, value in {**common, **request.headers}.items()}
    rendered = {
        key: (name, _render_text(value, names, f"{field}.headers.{name}").strip())
        for key, (name, value) in headers.items()
    }
    try:
        check_headers(dict(rendered.values()))
    except ValueError as error:
        raise UserError(str(error), field=field) from None
    content = None if body is None else body.encode() if isinstance(body, str) else _json(body)
    if content is not None and "content-type" not in rendered:
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
        rendered["content-type"] = ("Content-Type", kind)
    return Prepared(
        method=request.method,
        address=parse_address(render_url(request.url, names, field=f"{field}.url"), field=f"{field}.url"),
        headers=tuple(rendered.values()),
        body=content,
        timeout_seconds=request.timeout_seconds,
    )


def render_url(template: str, names: Names, *, field: str) -> str:
    """Fill in a URL.

    A value is quoted and so stays one segment, except at the very beginning, where it is used as written.
    """

    def put(match: re.Match[str]) -> str:
        text = as_text(_value(match[1], names, field), match[1], field)
        if match.start() == 0:
            return text
        if not text and "?" not in template[: match.start()]:
            raise UserError(f"{{{{ {match[1]} }}}} is empty: the path would be another one", field=field)
        return quote(text, safe="")

    return PLACEHOLDER.sub(put, template)


def parse_address(url: str, *, field: str) -> Address:
    """Parse a URL to connect to; raises UserError."""
    try:
        parts = urlsplit(url)
        port = parts.port or default_port(parts.scheme)
    except ValueError:
        raise UserError("is not a URL; expected https://host/path", field=field) from None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or ""):
        raise UserError("is not a URL; expected https://host/path with the host in ASCII", field=field)
    if parts.username is not None or parts.password is not None:
        raise UserError("contains a user or password: send them in a header", field=field)
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise UserError(
            "contains a space, a backslash or a control character: percent-encode it", field=field
        )
    if {".", ".."} & set(parts.path.lower().replace("%2e", ".").split("/")):
        raise UserError("has a segment . or .. in its path, which leads elsewhere", field=field)
    return Address(parts.scheme, parts.hostname or "", port, _target(parts))


def secret_targets(secrets: Iterable[str]) -> set[str]:
    """Paths and queries of secret URLs, because a message may not show an address as it was written."""
    found: set[str] = set()
    for secret in secrets:
        try:
            target = parse_address(secret.strip(), field="").target
        except UserError:
            continue
        found |= {target, target.partition("?")[0]}
    return {target for target in found if len(target) >= _MIN_TARGET}


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=_SAFE_IN_URL)


def render_value(value: Any, names: Names, *, field: str) -> Any:
    """A string that is only one placeholder becomes the value itself, of any type."""
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value)
        return _value(whole[1], names, field) if whole else _render_text(value, names, field)
    if isinstance(value, Mapping):
        return {key: render_value(item, names, field=f"{field}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [render_value(item, names, field=f"{field}[{n}]") for n, item in enumerate(value)]
    return value


def _render_text(text: str, names: Names, field: str) -> str:
    return PLACEHOLDER.sub(lambda match: as_text(_value(match[1], names, field), match[1], field), text)


def _value(name: str, names: Names, field: str) -> Any:
    first, _, path = name.partition(".")
    known = names.get(first, MISSING)
    value = known if known is MISSING or not path else find(known, path)
    if value is not MISSING:
        return value
    if first in _OPTIONAL:
        return None
    if first in ("id", "start"):
        raise InvalidReport(f"{field}: {{{{ {name} }}}} is not in the answer to the start")
    raise UserError(f"{{{{ {name} }}}} is not set: write it into the configuration", field=field)


def find(data: Any, path: str) -> Any:
    """The value at the end of a path of keys and indexes, or MISSING."""
    for key in path.split("."):
        if isinstance(data, Mapping) and key in data:
            data = data[key]
        elif isinstance(data, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(data):
            data = data[int(key[:9])]
        else:
            return MISSING
    return data


def picked(data: Mapping[str, Any], paths: Iterable[str]) -> Any:
    """The smallest part of an answer in which these paths lead to the same values."""
    made: dict[str, Any] = {}
    for path in sorted(paths):
        if not path:
            return data
        value = find(data, path)
        if value is MISSING or find(made, path) is not MISSING:
            continue
        *way, last = path.split(".")
        place = made
        for key in way:
            place = place.setdefault(key, {})
        place[last] = value
    return made


def as_text(value: Any, name: str, field: str) -> str:
    """The value as text inside a longer string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise UserError(f"{{{{ {name} }}}} is a list or an object and cannot be part of a text", field=field)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace")
