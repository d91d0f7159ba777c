"""The outbox: messages are committed with what they report, then published until confirmed."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import structlog

from orchestrator_shared.contracts.envelope import MAX_BYTES, Envelope, wrap
from orchestrator_shared.contracts.message import COMMANDS, Message
from orchestrator_shared.database.pool import transaction
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.messaging.outbox_store import OutboxStore
from orchestrator_shared.messaging.publisher import Outgoing
from orchestrator_shared.messaging.relay import Publishes, Relay, Tuning
from orchestrator_shared.runtime import failpoints

log = structlog.get_logger(__name__)

_SOURCE = re.compile(r"/[a-z-]+")


@dataclass(frozen=True, slots=True)
class _Pending:
    rows: list[Outgoing]
    hints: list[Outgoing]
    callbacks: list[Callable[[], None]]


class UnitOfWork:
    """One transaction, and the messages that are published if it commits."""

    def __init__(self, connection: asyncpg.Connection, source: str) -> None:
        self.connection = connection
        self._source = source
        self._pending = _Pending([], [], [])

    def publish(self, *messages: Message) -> None:
        """Publish these once the transaction is committed; hints (not persistent) may get lost."""
        for message in messages:
            outgoing = outgoing_message(message, source=self._source)
            (self._pending.rows if message.persistent else self._pending.hints).append(outgoing)

    def publish_as(self, message: Message, *, id: str, source: str | None = None) -> None:  # noqa: A002
        """Publish this under an id, and a source if not ours, that its author chose: both identify it."""
        self._pending.rows.append(identified_message(message, id=id, source=source or self._source))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this in this process after the commit: it must not block, and a crash loses it."""
        self._pending.callbacks.append(callback)


class UnitsOfWork(Protocol):
    """Opens units of work; an outbox is one."""

    def work(self) -> AbstractAsyncContextManager[UnitOfWork]: ...


class Outbox:
    """The outbox of one service: `work` opens transactions, `run` is the relay (supervise it)."""

    def __init__(
        self,
        *,
        schema: str,
        source: str,
        pool: asyncpg.Pool,
        publisher: Publishes,
        tuning: Tuning | None = None,
    ) -> None:
        if not _SOURCE.fullmatch(source):
            raise ValueError(f"source {source!r}: write the service's name after a slash, as in /runner")
        self._source = source
        self._pool = pool
        self._store = OutboxStore(pool, schema=schema)
        self._relay = Relay(self._store, publisher, tuning or Tuning())

    @asynccontextmanager
    async def work(self) -> AsyncIterator[UnitOfWork]:
        """A transaction that commits with all its messages, or rolls back and publishes nothing.

        Unavailable from here may come from a lost COMMIT: repeat by natural key.
        """
        async with transaction(self._pool) as connection:
            work = UnitOfWork(connection, self._source)
            yield work
            pending = work._pending
            if pending.rows:
                await self._store.insert(connection, pending.rows)
                failpoints.reach(failpoints.BEFORE_COMMIT)
        if pending.rows:
            failpoints.reach(failpoints.BEFORE_PUBLISH)
        self._relay.hand_over(pending.rows, pending.hints)
        for callback in pending.callbacks:
            _call(callback)

    def hint(self, *messages: Message) -> None:
        """Publish hints that belong to no transaction, best effort."""
        self._relay.hand_over([], [outgoing_message(message, source=self._source) for message in messages])

    async def run(self) -> None:
        """Relay until cancelled."""
        await self._relay.run()

    async def relay_once(self, *, backlog: bool = False) -> None:
        """Relay by hand, where no one runs it; see `Relay.once`."""
        await self._relay.once(backlog=backlog)

    async def flush(self, timeout: float) -> bool:
        """Wait until everything handed over is published; False after `timeout` (nothing is lost)."""
        return await self._relay.flush(timeout)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        # The transaction is committed: a failing callback must not look like its failure.
        log.exception("outbox.callback_failed")


def outgoing_message(message: Message, *, source: str) -> Outgoing:
    """Wrap a message of ours; raises ValueError for one that consumers would refuse to read."""
    envelope = _wrapped(message, source)
    return _outgoing(message, envelope, row_id=envelope.id)


def identified_message(message: Message, *, id: str, source: str) -> Outgoing:  # noqa: A002  CloudEvents' name
    """Wrap a message under the id and source that identify it."""
    envelope = _wrapped(message, source).model_copy(update={"id": id})
    # The row has an id of its own: the chosen one may be no uuid, come twice, or come from two sources.
    return _outgoing(message, envelope, row_id=str(new_id()))


def _wrapped(message: Message, source: str) -> Envelope:
    return wrap(
        message, source=source, traceparent=structlog.contextvars.get_contextvars().get("traceparent")
    )


def _outgoing(message: Message, envelope: Envelope, *, row_id: str) -> Outgoing:
    body = envelope.to_bytes()
    if len(body) > MAX_BYTES:
        raise ValueError(f"{message.type}: the message has {len(body)} bytes; at most {MAX_BYTES} are read")
    return Outgoing(
        id=row_id,
        exchange=message.exchange,
        routing_key=message.routing_key(),
        body=body,
        mandatory=message.exchange == COMMANDS,
        persistent=message.persistent,
    )
