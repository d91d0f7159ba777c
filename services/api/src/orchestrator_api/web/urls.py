"""Addresses of pages by name, below the prefix that people reach the api under."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request

_PART = re.compile(r"{(\w+)}")
Query = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Urls:
    """`url_for` of templates and handlers."""

    paths: Mapping[str, str]
    """By name, with `{parts}`."""
    prefix: str = ""

    def __call__(self, name: str, /, *, query: Query | None = None, **parts: object) -> str:
        """The address; parts and query are quoted, and values that are None, False or empty left out."""
        path = _PART.sub(lambda found: quote(str(parts[found[1]]), safe=""), self.paths[name])
        given = {key: value for key, value in (query or {}).items() if value not in (None, "", False, ())}
        text = urlencode(given, doseq=True)
        return f"{self.prefix}{path}{'?' if text else ''}{text}"


def urls_of(request: Request) -> Urls:
    """Those of this application, as this request reached it."""
    return Urls(request.app.state.page_paths, request.scope.get("root_path", ""))
