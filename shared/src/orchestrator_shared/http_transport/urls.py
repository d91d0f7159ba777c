"""URLs as people and redirects write them; what cannot be read is refused without quoting it."""

import re
from base64 import b64encode
from urllib.parse import SplitResult, quote, unquote, urlsplit

from orchestrator_shared.domain.urls import PERCENT_ENCODE
from orchestrator_shared.http_transport.address import Address, default_port

_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_PATH = "%!$&'()*+,-./:;=@[\\]^_|~"
_IN_QUERY = _IN_PATH + "?`{}"


class InvalidUrl(ValueError):
    """A URL that cannot be requested; the text tells nothing secret of it."""


def read_address(url: str) -> Address:
    """Where a URL leads; raises InvalidUrl."""
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidUrl(f"{shown(url)} is not an http or https URL")
    target = _quoted(_without_dots(parts.path) or "/", _IN_PATH)
    if parts.query:
        target += "?" + _quoted(parts.query, _IN_QUERY)
    return Address(parts.scheme, _host(parts.hostname), parts.port or default_port(parts.scheme), target)


def authorization_of(url: str) -> str | None:
    """The header Authorization for the URL's user and password; raises InvalidUrl."""
    parts = _split(url)
    if not parts.username and not parts.password:
        return None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def shown(url: str) -> str:
    """The URL without user, password and query, which may be secrets."""
    try:
        parts = _split(url)
    except InvalidUrl:
        return "the URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _split(url: str) -> SplitResult:
    """Raises InvalidUrl where parsers would disagree: they quote what they take for a host or a port."""
    try:
        parts = urlsplit(url)
        is_readable = parts.netloc.count("@") <= 1 and parts.port != 0 and not _CONTROL.search(url)
    except ValueError:
        is_readable = False
    if not is_readable:
        raise InvalidUrl(f"the URL cannot be parsed: {PERCENT_ENCODE}")
    return parts


def _host(name: str) -> str:
    """The ASCII form that is looked up, also of names in other alphabets."""
    if not name.isascii():
        import idna  # imported late: few names need it

        try:
            name = idna.encode(name).decode("ascii")
        except idna.IDNAError:
            raise InvalidUrl("the URL's host is no valid name") from None
    if not _HOST.fullmatch(name):
        raise InvalidUrl("the URL's host is no valid name")
    return name


def _without_dots(path: str) -> str:
    """The path that segments `.` and `..` lead to."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[max(len(kept) - 1, 1) :]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def _quoted(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=safe)
