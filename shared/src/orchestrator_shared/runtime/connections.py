"""Limits on HTTP connections: how many, and how long a request or its answer may take."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_remote_addr

from orchestrator_shared import metrics
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.runtime.addresses import TrustedProxies
from orchestrator_shared.runtime.answers import REQUEST_ID
from orchestrator_shared.settings import RuntimeSettings

log = structlog.get_logger(__name__)

UNREAD_SECONDS = 60.0
"""How long an answer may wait for a peer that reads nothing of it."""
KEEP_ALIVE_SECONDS, KEEP_PROXY_ALIVE_SECONDS = 15, 75
"""How long an idle connection stays open: longer than our clients (5 s) and proxies (60 s) keep theirs.

A request on a connection that the server is just closing gets no answer. Browsers send it again.
"""
REMIND_SECONDS = 30.0
EVENTS_AT_ONCE = 64
"""Portion size; then others get their turn, since a body may come in costly one-byte pieces."""
HEAD_BYTES = 64 * 1024


@dataclass(slots=True)
class Connections:
    """The open connections of one port, by the address they come from."""

    most: int
    most_per_address: int
    header_seconds: float
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    """Proxies share one address among many people, so only the total limit applies to them."""
    _open: Counter[str] = field(default_factory=Counter)
    _warn_again_at: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: RuntimeSettings) -> "Connections":
        """What the settings allow."""
        return cls(
            settings.http_max_connections,
            settings.http_max_connections_per_address,
            settings.http_header_timeout_seconds,
            TrustedProxies(settings.http_trusted_proxies),
        )

    def enter(self, address: str, now: float) -> int | None:
        """Count a connection, or return the status with which to refuse it."""
        if self._open.total() >= self.most:
            return self._refused(503, "all", now)
        if self._open[address] >= self.most_per_address and not self.proxies.trusts(address):
            return self._refused(429, "address", now)
        self._open[address] += 1
        return None

    def leave(self, address: str) -> None:
        """A counted connection has ended."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def _refused(self, status: int, limit: str, now: float) -> int:
        metrics.HTTP_CONNECTIONS_REFUSED.labels(limit).inc()
        if now >= self._warn_again_at.get(limit, now):
            self._warn_again_at[limit] = now + REMIND_SECONDS
            log.warning("http.connections_refused", limit=limit, open=self._open.total())
        return status


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration, with the connections of the port."""

    def __init__(self, app: Any, connections: Connections, *, stop_seconds: int) -> None:
        super().__init__(
            app,
            http=BoundedProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=stop_seconds,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self.connections = connections


class _Portions(h11.Connection):
    """Asks for more data after each portion."""

    left = EVENTS_AT_ONCE

    def next_event(self) -> Any:
        if self.left <= 0:
            return h11.NEED_DATA
        self.left -= 1
        event = super().next_event()
        if isinstance(event, h11.Request) and _has_two_lengths(event):
            raise h11.RemoteProtocolError("both Transfer-Encoding and Content-Length")
        return event


def _has_two_lengths(request: h11.Request) -> bool:
    """So that a proxy before us cannot see another end of the body than we do (RFC 9112, 6.1)."""
    return {b"transfer-encoding", b"content-length"} <= {name for name, _ in request.headers}


class _Flow(FlowControl):
    """Pauses reading until what was read has been processed."""

    behind = False

    def resume_reading(self) -> None:
        if not self.behind:
            super().resume_reading()


class BoundedProtocol(H11Protocol):
    """h11 under a clock and in portions.

    uvicorn itself waits for ever for the rest of a request's head, and handles all that one read brought
    before anybody else has a turn: with bodies in pieces of one byte 0.4 seconds for each connection.
    """

    config: BoundedConfig
    conn: _Portions
    flow: _Flow
    _address: str | None = None
    _next_portion: asyncio.Handle | None = None
    _unfinished: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Portions(h11.SERVER, HEAD_BYTES)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = get_remote_addr(transport)
        address = peer[0] if peer else ""
        refused = self.config.connections.enter(address, self.loop.time())
        if refused is not None:
            transport.write(_answer(refused, "too many connections: close some, or try again later"))
            transport.close()
            return
        self._address = address
        if self.config.connections.proxies.trusts(address):
            self.timeout_keep_alive = KEEP_PROXY_ALIVE_SECONDS
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._address is None:
            return
        self.config.connections.leave(self._address)
        self._address = None
        self._unfinished = _cancelled(self._unfinished)
        self._unread = _cancelled(self._unread)
        if self._next_portion is not None:
            self._next_portion.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def handle_events(self) -> None:
        self.conn.left = EVENTS_AT_ONCE
        super().handle_events()
        if self.conn.left > 0 or self.transport.is_closing():
            self.flow.behind = False
        elif self._next_portion is None:
            self.flow.behind = True
            self.flow.pause_reading()
            self._next_portion = self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._next_portion = None
        if self.transport.is_closing():
            return
        self.handle_events()
        self._watch()
        if not self.flow.behind and self._may_read():
            self.flow.resume_reading()

    def _may_read(self) -> bool:
        """Whether uvicorn, which could not while events were left, would read now."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        return self.cycle.more_body and len(self.cycle.body) <= HIGH_WATER_LIMIT

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """A clock runs from the beginning of a request's head to its end, however slowly bytes arrive.

        It runs as well while a body goes on arriving that was answered already.
        """
        theirs = self.conn.their_state
        answered = self.cycle is not None and self.cycle.response_complete
        if theirs is not h11.IDLE and not (theirs is h11.SEND_BODY and answered):
            self._unfinished = _cancelled(self._unfinished)
        elif self._unfinished is None:
            seconds = self.config.connections.header_seconds
            self._unfinished = self.loop.call_later(seconds, self._give_up, "request")

    def _give_up(self, what: str) -> None:
        metrics.HTTP_CONNECTIONS_CUT_OFF.labels(what).inc()
        if what == "request" and self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(_answer(408, "the head of the request did not arrive in time"))
            self.transport.close()
        else:
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._give_up, "answer")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = _cancelled(self._unread)

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_answer(400, "not a valid HTTP/1.1 request"))
        self.transport.close()


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Forget a timer that is no longer needed."""
    if timer is not None:
        timer.cancel()
    return None


def _answer(status: int, detail: str) -> bytes:
    """A complete response to a peer that has sent no request yet."""
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": []}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n"
        f"{REQUEST_ID}: {new_id()}\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
