"""HTTP over one persistent connection, without httpx: importing that costs more than most commands."""

import http.client
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
PATH_CHARACTERS = "/:@!$&'()*+,;="
"""Characters that need no escape in a path, besides letters, digits and `-._~` (RFC 3986)."""

Params = Mapping[str, str | list[str]]


class NoAnswer(Exception):
    """The server cannot be reached, or the connection broke before the response was complete."""


@dataclass(frozen=True)
class Request:
    """A request to the server; `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Response:
    """The server's response."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport(Protocol):
    """Sends requests to one server."""

    def send(self, request: Request) -> Response: ...

    def close(self) -> None: ...


def target(path: str, params: Params | None = None) -> str:
    """The path and query of a request; names in the path may contain any character."""
    query = urlencode(params or {}, doseq=True)
    return quote(path, safe=PATH_CHARACTERS) + (f"?{query}" if query else "")


class Connection:
    """A connection to one server: opened by the first request, kept open, and reopened when lost."""

    def __init__(self, url: str) -> None:
        """Raises ValueError if `url` is not a server URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected http://host:port or https://host")
        self._prefix = target(parts.path.rstrip("/"))
        self._http = _unopened(parts.scheme, parts.hostname, parts.port)

    def send(self, request: Request) -> Response:
        path, headers = self._prefix + request.target, dict(request.headers)
        try:
            self._ensure_open()
            self._http.request(request.method, path, body=request.body, headers=headers)
            answer = self._http.getresponse()
            return Response(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise NoAnswer(str(error) or type(error).__name__) from None

    def _ensure_open(self) -> None:
        sock: socket.socket | None = self._http.sock
        if sock is not None and _is_readable(sock):  # the server closed it, or sent unexpected data
            self._http.close()
            sock = None
        if sock is None:
            self._http.connect()
            self._http.sock.settimeout(ANSWER_SECONDS)

    def close(self) -> None:
        self._http.close()


def _unopened(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    try:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=_trust())
    except http.client.InvalidURL as error:
        raise ValueError(str(error)) from None


def _trust() -> "SSLContext":
    """The certificate authorities of the system (or of SSL_CERT_FILE) and of certifi."""
    import ssl

    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _is_readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])
