"""HTTP over one persistent connection, without httpx: importing that costs more than most commands."""

import http.client
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
"""How long to wait for the next part of a response."""
WHOLE_ANSWER_SECONDS = 600.0
MOST_ANSWER_BYTES = 300 * 1024 * 1024
"""Slightly more than the largest export."""
PATH_CHARACTERS = "/:@!$&'()*+,;="
"""Characters that need no escape in a path, besides letters, digits and `-._~` (RFC 3986)."""

Params = Mapping[str, str | list[str]]


class NoAnswer(Exception):
    """The server cannot be reached, or the connection broke before the response was complete."""


class EndlessAnswer(Exception):
    """The response is longer than any of ours; retrying would not help."""


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
        self.prefix = target(parts.path.rstrip("/"))
        self._http = _unopened(parts.scheme, parts.hostname, parts.port)
        self.another = partial(_unopened, parts.scheme, parts.hostname, parts.port)
        """Makes a connection for a stream: an answer that does not end occupies its own."""

    def send(self, request: Request) -> Response:
        clock = _Clock()
        try:
            self._ensure_open()
            with clock.running(self._http.sock):
                response = self._exchange(request)
            if clock.is_over:  # to an answer that lasts as long as its connection this looks like its end
                raise ConnectionError
            return response
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            if clock.is_over:
                raise EndlessAnswer(f"still not complete after {WHOLE_ANSWER_SECONDS:g} seconds") from None
            raise NoAnswer(str(error) or type(error).__name__) from None
        except EndlessAnswer:
            self._http.close()
            raise

    def _exchange(self, request: Request) -> Response:
        path = self.prefix + request.target
        self._http.request(request.method, path, body=request.body, headers=dict(request.headers))
        answer = self._http.getresponse()
        if answer.length is not None and answer.length <= MOST_ANSWER_BYTES:
            return Response(answer.status, answer.read())
        body = b"" if answer.length is not None else answer.read(MOST_ANSWER_BYTES + 1)
        if answer.length is not None or len(body) > MOST_ANSWER_BYTES:
            raise EndlessAnswer(f"more than {MOST_ANSWER_BYTES // 1024**2} MiB")
        return Response(answer.status, body)

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


class _Clock:
    """Closes a connection whose response never ends, even in its headers, where nothing else checks."""

    is_over = False

    @contextmanager
    def running(self, sock: socket.socket) -> Iterator[None]:
        timer = threading.Timer(WHOLE_ANSWER_SECONDS, self._end, (sock,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self, sock: socket.socket) -> None:
        self.is_over = True
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


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
