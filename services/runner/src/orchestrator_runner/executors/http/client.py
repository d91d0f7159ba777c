"""One HTTP exchange with an untrusted service: bounded in time and size, and only to allowed addresses."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpcore

from orchestrator_runner.executors.http.answer import Answer, Reply, Unanswered
from orchestrator_runner.executors.http.backoff import parse_retry_after
from orchestrator_runner.executors.http.template import Prepared
from orchestrator_shared.domain.addresses import is_public
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.internal_hosts import INTERNAL_HOSTS, InternalHosts

MOST_BYTES = 1024 * 1024
CONNECT_SECONDS = 10.0
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Resolve = Callable[[str, int], Awaitable[list[str]]]


class ForbiddenHost(UserError):
    """The host is internal and was not allowed."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once and connects to that address, so that a second DNS answer cannot redirect it."""

    def __init__(
        self, internal: InternalHosts, resolve: Resolve, network: httpcore.AsyncNetworkBackend
    ) -> None:
        self._internal = internal
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; raises ForbiddenHost if one of them is internal."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectError(f"cannot find the host {host}: no answer in time") from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise httpcore.ConnectError(f"cannot find the host {host}: {reason}") from error
        if not self._internal.allows(host, port) and not all(map(is_public, addresses)):
            raise ForbiddenHost(
                f"{host} is an internal address; an administrator can allow it in {INTERNAL_HOSTS}"
            )
        return await self._connect(host, port, addresses)

    async def _connect(self, host: str, port: int, addresses: list[str]) -> httpcore.AsyncNetworkStream:
        reason = f"cannot find the host {host}"
        for address in addresses[:8]:
            try:
                return await self._network.connect_tcp(address, port, timeout=CONNECT_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                reason = f"cannot connect to {host}:{port}: {_reason(error)}"
        raise httpcore.ConnectError(reason)


class HttpClient:
    """Sends requests; every exchange uses its own connection, and redirects are not followed."""

    def __init__(
        self,
        *,
        internal: InternalHosts,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._backend = GuardedBackend(internal, resolve, network or httpcore.AnyIOBackend())
        self._ssl_context = ssl_context or ssl.create_default_context()
        self._most_bytes = most_bytes

    async def send(self, request: Prepared) -> Reply:
        """Send once; raises ForbiddenHost, and nothing else that the other side could cause."""
        was_sent = False

        async def trace(event: str, _: object) -> None:
            nonlocal was_sent
            was_sent = was_sent or event == "http11.send_request_headers.started"

        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._exchange(request, trace)
        except TimeoutError:
            return Unanswered(f"no answer within {request.timeout_seconds:g} s", was_sent)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Unanswered(_reason(error), was_sent)
        except (OSError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
            return Unanswered(_reason(error), was_sent)

    async def _exchange(self, request: Prepared, trace: Callable[[str, object], Awaitable[None]]) -> Answer:
        address = request.address
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context, network_backend=self._backend, max_keepalive_connections=0
            ) as pool,
            pool.stream(
                request.method,
                url,
                headers=_headers(request),
                content=_content(request),
                extensions={"trace": trace},
            ) as response,
        ):
            return await self._read(response)

    async def _read(self, response: httpcore.Response) -> Answer:
        headers = {name.lower(): value for name, value in response.headers}
        body, fault = b"", None
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            fault = "is compressed, which was not asked for"
        else:
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > self._most_bytes:
                    fault = f"is larger than {self._most_bytes} bytes"
                    break
                parts.append(part)
            body = b"".join(parts) if fault is None else b""
        reason = response.extensions.get("reason_phrase", b"")
        wanted = headers.get(b"retry-after", b"").decode("latin-1")
        return Answer(
            status=response.status,
            reason=reason.decode("ascii", "replace")[:100],
            body=body,
            retry_after=parse_retry_after(wanted, datetime.now(UTC)),
            fault=fault,
        )


def _content(request: Prepared) -> bytes | None:
    # This sends "Content-Length: 0"; some servers reject requests without it if the method could have a body.
    return b"" if request.body is None and request.method in _WITH_BODY else request.body


def _headers(request: Prepared) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in request.headers}
    own = [("Host", request.address.authority), ("Connection", "close"), ("Accept-Encoding", "identity")]
    own += [
        (name, value)
        for name, value in (("Accept", "application/json"), ("User-Agent", "orchestrator"))
        if name.lower() not in given
    ]
    return [(name.encode(), value.encode()) for name, value in (*own, *request.headers)]


def _reason(error: Exception) -> str:
    """What went wrong, in the most specific words available."""
    cause: BaseException = error
    while cause.__cause__ is not None and not str(cause):
        cause = cause.__cause__
    text = str(cause) or str(error)
    return f"{text[:300]}" if text else type(error).__name__
