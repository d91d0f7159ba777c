"""Requests to a Docker engine, over its socket or TCP.

Paths carry no version: the engine then answers in its newest one. What is used here is the same in each.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpcore

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
SILENT_SECONDS = 60.0
"""A stream that sends nothing for so long is opened anew: the engine may be gone without a word."""
MOST_BYTES = 32 * 1024 * 1024
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)


class EngineUnreachable(Exception):
    """The engine does not answer, or stopped in the middle of an answer."""


class EngineSilent(EngineUnreachable):
    """Nothing came for a while; that may be all right."""


class EngineRefused(Exception):
    """The engine answered with an error; the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where an engine listens: at a socket's path, or at a host and port."""

    socket: str | None = None
    host: str = "docker"
    port: int = 2375

    @classmethod
    def parse(cls, url: str) -> "EngineAddress":
        """Read `unix:///var/run/docker.sock` or `tcp://docker-proxy:2375`; raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
            return cls(socket=parts.path)
        if parts.scheme == "tcp" and parts.hostname and "@" not in parts.netloc and not parts.path.strip("/"):
            return cls(host=parts.hostname, port=parts.port or 2375)
        raise ValueError("expected unix:///var/run/docker.sock or tcp://host:2375")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises EngineUnreachable if it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise EngineUnreachable("its answer is not JSON") from None


class Stream:
    """An answer whose body is read in pieces."""

    def __init__(self, received: httpcore.Response) -> None:
        self._received = received
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in received.headers
        }

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises EngineUnreachable if it breaks off."""
        with _translated():
            async for piece in self._received.aiter_stream():
                yield piece


class DockerEngine:
    """One engine; connections are opened as needed, because every log that is followed holds one."""

    def __init__(self, address: EngineAddress) -> None:
        self._origin = f"http://{address.host}:{address.port}"
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None, max_keepalive_connections=8, keepalive_expiry=30, uds=address.socket
        )
        self._id: str | None = None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def id(self) -> str:
        """What tells this engine from others."""
        if self._id is None:
            self._id = str((await self.call("GET", "/info")).json()["ID"])
        return self._id

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        archive: bytes | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """Send a request and read the whole answer; raises EngineRefused, EngineUnreachable."""
        content = archive if archive is not None else b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json" if archive is None else "application/x-tar"}
        async with self._sent(method, path, query, headers, content, seconds) as received:
            return await _read(received)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silent_seconds: float = SILENT_SECONDS,
    ) -> AsyncIterator[Stream]:
        """Send a request and read the answer as it comes; raises EngineRefused, EngineUnreachable."""
        async with self._sent(method, path, query, headers or {}, b"", silent_seconds) as received:
            if received.status >= 400:
                await _read(received)
            yield Stream(received)

    @asynccontextmanager
    async def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes,
        seconds: float,
    ) -> AsyncIterator[httpcore.Response]:
        url = self._origin + quote(path) + (f"?{urlencode(query)}" if query else "")
        timeout = {"connect": CONNECT_SECONDS, "read": seconds, "write": seconds, "pool": CONNECT_SECONDS}
        opened = self._pool.stream(
            method,
            url,
            headers=[*headers.items(), ("Content-Length", str(len(content)))],
            content=content,
            extensions={"timeout": timeout},
        )
        with _translated():
            received = await opened.__aenter__()
        try:
            yield received
        finally:
            with _translated():
                await opened.__aexit__(None, None, None)


async def _read(received: httpcore.Response) -> Answer:
    stream, body = Stream(received), bytearray()
    async for piece in stream.pieces():
        body += piece
        if len(body) > MOST_BYTES:
            raise EngineUnreachable("its answer is too large")
    if received.status >= 400:
        raise EngineRefused(received.status, _message(bytes(body)) or f"status {received.status}")
    return Answer(received.status, stream.headers, bytes(body))


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()[:1000]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpcore.ReadTimeout:
        raise EngineSilent("the Docker engine sends nothing") from None
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise EngineUnreachable(f"the Docker engine does not answer: {reason}") from None
