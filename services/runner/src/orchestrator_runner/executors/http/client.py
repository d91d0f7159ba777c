"""One HTTP exchange with an untrusted service: bounded in time and size, and only to allowed addresses."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpcore

from orchestrator_runner.executors.http.answer import Answer, Reply, Unanswered
from orchestrator_runner.executors.http.backoff import parse_retry_after
from orchestrator_runner.executors.http.template import Prepared
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.guard import GuardedBackend, Resolve, reason_of, resolve

MOST_BYTES = 1024 * 1024
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


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
            return Unanswered(reason_of(error), was_sent)
        except (OSError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
            return Unanswered(reason_of(error), was_sent)

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
