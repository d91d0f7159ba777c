"""One HTTP exchange with an untrusted server: on a connection of its own, and limited in time and size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

import httpcore

from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.address import Address
from orchestrator_shared.http_transport.answers import NoAnswer, Response
from orchestrator_shared.http_transport.guard import (
    CONNECT_SECONDS,
    GuardedBackend,
    Resolve,
    reason_of,
    resolve,
)

MOST_HEAD_BYTES = 100 * 1024
"""Status line and headers; httpcore refuses more."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Request:
    """What to send; the transport adds the headers of the connection."""

    method: str
    address: Address
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server may take; the head of a response is limited to MOST_HEAD_BYTES."""

    most_bytes: int
    """Of a body, also after decompression."""
    connect_seconds: float = CONNECT_SECONDS
    """For the name lookup, and for each of the addresses that are tried."""
    silence_seconds: float | None = None
    """Between two parts of a response."""


class Transport:
    """Connects to allowed addresses only, checks certificates, ignores proxies; follows no redirects.

    `undoes_gzip` asks for compressed bodies; otherwise they are refused.
    Without `ssl_context`, the authorities of the system and of certifi are trusted.
    """

    def __init__(
        self,
        *,
        internal: InternalHosts,
        limits: Limits,
        undoes_gzip: bool = False,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        network = network or httpcore.AnyIOBackend()
        self._backend = GuardedBackend(internal, resolve, network, connect_seconds=limits.connect_seconds)
        self._limits = limits
        self._undoes_gzip = undoes_gzip
        self._ssl_context = ssl_context

    @asynccontextmanager
    async def exchange(self, request: Request, *, seconds: float | None = None) -> AsyncIterator[Response]:
        """Send once; `seconds` is the time for everything, the reading of the body included.

        Raises ForbiddenHost and NoAnswer.
        """
        progress = _Progress()
        translated = partial(self._translated, progress)
        most = self._limits.most_bytes
        try:
            async with asyncio.timeout(seconds) as limit, AsyncExitStack() as stack:
                with translated():
                    received = await stack.enter_async_context(self._stream(request, progress))
                yield Response(received, translated, most_bytes=most, undoes_gzip=self._undoes_gzip)
        except TimeoutError:
            if not limit.expired():
                raise
            raise NoAnswer(f"no answer within {seconds:g} s", was_sent=progress.was_sent) from None

    @asynccontextmanager
    async def _stream(self, request: Request, progress: "_Progress") -> AsyncIterator[httpcore.Response]:
        silence = self._limits.silence_seconds
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._ssl_context, network_backend=self._backend, max_keepalive_connections=0
        )
        async with (
            pool,
            pool.stream(
                request.method,
                _url(request.address),
                headers=self._headers(request),
                content=_content(request),
                extensions={
                    "trace": progress.trace,
                    "timeout": {"connect": silence, "read": silence, "write": silence},
                },
            ) as received,
        ):
            yield received

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        given = {name.lower() for name, _ in request.headers}
        coding = "gzip" if self._undoes_gzip else "identity"
        own = [("Host", request.address.authority), ("Connection", "close"), ("Accept-Encoding", coding)]
        defaults = {"Accept": "*/*", "User-Agent": "orchestrator"}
        own += [(name, value) for name, value in defaults.items() if name.lower() not in given]
        return [(name.encode(), value.encode()) for name, value in (*own, *request.headers)]

    @contextmanager
    def _translated(self, progress: "_Progress") -> Iterator[None]:
        try:
            yield
        except httpcore.TimeoutException:
            reason = f"nothing was received for {self._limits.silence_seconds:g} s"
            raise NoAnswer(reason, was_sent=progress.was_sent) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise NoAnswer(reason_of(error), was_sent=progress.was_sent) from error


class _Progress:
    """Whether a request may have left."""

    was_sent = False

    async def trace(self, event: str, _: Mapping[str, object]) -> None:
        self.was_sent = self.was_sent or event == "http11.send_request_headers.started"


def _url(address: Address) -> httpcore.URL:
    return httpcore.URL(
        scheme=address.scheme.encode(),
        host=address.host.encode(),
        port=address.port,
        target=address.target.encode(),
    )


def _content(request: Request) -> bytes | None:
    # This sends "Content-Length: 0"; some servers reject requests without it if the method could have a body.
    return b"" if request.body is None and request.method in _WITH_BODY else request.body
