"""Connections to the broker that reconnect by themselves, with bounded waits everywhere.

Publishing and consuming have a connection each: a broker under a memory alarm blocks the one that publishes.
aio-pika's robust mode is not used, because waiting for its reconnect has no limit; `Link` reconnects instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused
from yarl import URL

from orchestrator_shared.contracts.routing import QUEUES, Queue
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.cancellation import cancelled_by_us, end_quietly
from orchestrator_shared.messaging.foreign_properties import accept_anything
from orchestrator_shared.messaging.metrics import BROKER_BLOCKED, BROKER_CONNECTED
from orchestrator_shared.messaging.publisher import Publisher
from orchestrator_shared.messaging.topology import declare
from orchestrator_shared.messaging.transport import Transports
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, wait_for_any
from orchestrator_shared.settings import variable
from orchestrator_shared.tls import certificate_problem

accept_anything()

log = structlog.get_logger(__name__)

Prepare = Callable[[AbstractChannel], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of every wait for the broker, in seconds."""

    connect: float = 10.0
    operation: float = 10.0
    publish: float = 10.0
    heartbeat: int = 10
    start: float = 30.0


class Link:
    """One connection, reconnected when lost; `channel` opens a channel on it or raises Unavailable."""

    def __init__(self, url: URL, *, name: str, timeouts: Timeouts, prepare: Prepare | None = None) -> None:
        self._url = url
        self._name = name
        self._prepare = prepare
        self.timeouts = timeouts
        self._connected_gauge = BROKER_CONNECTED.labels(name)
        self._blocked_gauge = BROKER_BLOCKED.labels(name)
        self._connection: aio_pika.Connection | None = None
        self._transports = Transports(url)
        self.up = asyncio.Event()
        self.blocked = False
        self.last_error: Exception | None = None
        self._outage = OutageLog(f"broker {name}")

    @property
    def connected(self) -> bool:
        return self.up.is_set()

    @property
    def address(self) -> str:
        """Where the broker is, without the credentials."""
        return f"{self._url.host}:{self._url.port or ''}{self._url.path}"

    async def wait_connected(self, timeout: float) -> None:
        """Wait for a connection; raises Unavailable, saying why there is none."""
        if not await wait_for_any(self.up, timeout=timeout):
            raise Unavailable(
                f"the broker at {self.address} does not answer ({self._last_reason()}): "
                f"start it, or correct {variable('amqp_url')}"
            )

    def _last_reason(self) -> str:
        problem = None if self.last_error is None else certificate_problem(self.last_error)
        return (
            f"{problem}; {variable('amqp_ca_file')} names whom to trust" if problem else repr(self.last_error)
        )

    async def channel(self, *, returns: bool = False) -> AbstractChannel:
        """Open a channel; with `returns`, publishing what no queue takes raises."""
        await self.wait_connected(self.timeouts.operation)
        connection = self._connection
        try:
            if connection is None:
                raise Unavailable(f"the connection to the broker at {self.address} was lost")
            async with asyncio.timeout(self.timeouts.operation):
                channel = connection.channel(publisher_confirms=True, on_return_raises=returns)
                await channel.initialize(timeout=self.timeouts.operation)
                return channel
        except asyncio.CancelledError as error:
            if cancelled_by_us():
                raise
            raise Unavailable("the connection to the broker was lost") from error
        except TimeoutError as error:
            self.drop("opening a channel took too long")
            raise Unavailable("the broker did not open a channel in time") from error
        except (aiormq.exceptions.AMQPError, OSError, RuntimeError) as error:
            raise Unavailable(f"no channel to the broker: {error!r}") from error

    def drop(self, reason: str) -> None:
        """Drop the current connection at once; `run` opens a new one."""
        if self._connection is not None and not self.blocked:
            log.warning("broker.connection_dropped", connection=self._name, reason=reason)
            self._transports.abort()

    async def run(self) -> None:
        """Connect, watch, and reconnect; ends only by cancellation."""
        backoff = Backoff(first=0.1, most=5.0)
        try:
            while True:
                try:
                    if await self._connect():
                        backoff.reset()
                        await self._watch()
                except Exception:
                    log.exception("broker.link_failed", connection=self._name)
                await backoff.sleep()
        finally:
            await self._discard()

    async def _connect(self) -> bool:
        connection = _Connection(self._url, self._transports)
        try:
            async with asyncio.timeout(self.timeouts.connect):
                await connection.connect(timeout=self.timeouts.connect)
            self._connection = connection
            async with asyncio.timeout(self.timeouts.operation):
                await self._prepare_channel(connection)
        except asyncio.CancelledError:
            if cancelled_by_us():
                await self._discard()
                raise
            self.last_error = Unavailable("the connection broke while it was opened")
        except Exception as error:
            self.last_error = error
        else:
            self._enter()
            return True
        if self._outage.is_news(repr(self.last_error)):
            log.warning(
                "broker.unreachable", connection=self._name, address=self.address, error=repr(self.last_error)
            )
        self._connection = self._connection or connection
        await self._discard()
        return False

    async def _prepare_channel(self, connection: aio_pika.Connection) -> None:
        if self._prepare is None:
            return
        channel = connection.channel()
        await channel.initialize()
        try:
            await self._prepare(channel)
        except ChannelAccessRefused as error:
            # A user without the configure permission: someone else declared the queues.
            log.info("broker.topology_not_permitted", connection=self._name, error=repr(error))
            return
        await channel.close()

    def _enter(self) -> None:
        self._connected_gauge.set(1)
        self.up.set()
        away = self._outage.seconds
        self._outage.reset()
        log.info("broker.connected", connection=self._name, address=self.address, away_seconds=away)

    async def _watch(self) -> None:
        """Return when the connection is closed; until then track whether the broker blocks it."""
        assert self._connection is not None
        assert self._connection.transport is not None
        connection = self._connection.transport.connection
        closing = connection.closing
        try:
            while not closing.done():
                self._note_blocked(not await _is_ready(connection))
                await asyncio.wait({closing}, timeout=0.5)
            self.last_error = ConnectionError("the connection was closed")
            log.warning("broker.connection_lost", connection=self._name, address=self.address)
        finally:
            closing.cancel()
            await self._discard()

    def _note_blocked(self, blocked: bool) -> None:
        if blocked != self.blocked:
            log.warning("broker.blocked" if blocked else "broker.unblocked", connection=self._name)
        self.blocked = blocked
        self._blocked_gauge.set(blocked)

    async def _discard(self) -> None:
        connection, self._connection = self._connection, None
        self.up.clear()
        self._connected_gauge.set(0)
        self._note_blocked(False)
        if connection is None:
            return
        try:
            # Closing a stalled connection would wait for three heartbeats.
            await end_quietly(connection.close(), timeout=2.0)
        finally:
            self._transports.abort()


class _Connection(aio_pika.Connection):
    def __init__(self, url: URL, transports: Transports) -> None:
        super().__init__(url)
        self.kwargs["transport_factory"] = transports


async def _is_ready(connection: aiormq.abc.AbstractConnection) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await connection.ready()
    except TimeoutError:
        return False
    return True


class Broker:
    """A service's two connections to RabbitMQ, and the publisher on one of them."""

    def __init__(self, *, publishing: Link, consuming: Link) -> None:
        self.publishing = publishing
        self.consuming = consuming
        self.publisher = Publisher(publishing)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        name: str,
        start_timeout: float | None = None,
        timeouts: Timeouts | None = None,
        queues: Sequence[Queue] = QUEUES,
    ) -> AsyncIterator["Broker"]:
        """Connect, declare exchanges and durable queues; Unavailable if no answer within `start_timeout`
        (a service's setting) or else `timeouts.start`."""
        timeouts = timeouts or Timeouts()
        durable = [queue for queue in queues if not queue.feed]

        async def prepare(channel: AbstractChannel) -> None:
            await declare(channel, *durable, timeout=timeouts.operation)

        start = timeouts.start if start_timeout is None else start_timeout
        address = broker_url(url, timeouts)
        publishing, consuming = (
            Link(
                address.update_query(name=f"{name} {purpose}"),
                name=purpose,
                timeouts=timeouts,
                prepare=prepare if purpose == "publishing" else None,
            )
            for purpose in ("publishing", "consuming")
        )
        broker = cls(publishing=publishing, consuming=consuming)
        tasks = [asyncio.create_task(link.run()) for link in (publishing, consuming)]
        try:
            await publishing.wait_connected(start)
            await consuming.wait_connected(start)
            yield broker
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=timeouts.operation)

    @property
    def blocked(self) -> bool:
        """Whether the broker currently accepts no messages (memory or disk alarm)."""
        return self.publishing.blocked

    def ready(self) -> bool:
        """Whether messages can be published and consumed now."""
        return self.publishing.connected and self.consuming.connected and not self.blocked


def broker_url(text: str, timeouts: Timeouts) -> URL:
    """Check the URL of the broker; raises ValueError without repeating its password."""
    url = URL(text)
    if url.scheme not in ("amqp", "amqps") or not url.host:
        raise ValueError(f"{variable('amqp_url')}: expected amqp://user:password@host:5672/vhost")
    return url if "heartbeat" in url.query else url.update_query(heartbeat=timeouts.heartbeat)
