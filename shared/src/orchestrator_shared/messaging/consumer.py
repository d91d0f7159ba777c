"""Consumers: every message ends acknowledged, dead-lettered with a reason, or delivered again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aio_pika.abc import AbstractIncomingMessage

from orchestrator_shared.contracts.message import Message
from orchestrator_shared.contracts.routing import Queue
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.messaging.cancellation import cancelled_by_us
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.dead_letters import dead_letter
from orchestrator_shared.messaging.decoding import Delivery as Delivery
from orchestrator_shared.messaging.decoding import decode
from orchestrator_shared.messaging.metrics import HANDLER_FAILURES
from orchestrator_shared.messaging.retrying import Abandoned, Failure, Fault, Gate, Tries, attempt
from orchestrator_shared.messaging.session import Session, open_session
from orchestrator_shared.metrics import (
    HANDLER_SECONDS,
    LAG_SECONDS,
    MESSAGES_CONSUMED,
    MESSAGES_DEAD_LETTERED,
    start_at_zero,
)
from orchestrator_shared.runtime import failpoints
from orchestrator_shared.runtime.retry import Backoff, wait_for_any

log = structlog.get_logger(__name__)

MIN_PREFETCH, MAX_PREFETCH = 10, 50

Handler = Callable[[Delivery], Awaitable[None]]
"""Idempotent; commits by itself. Returning acknowledges, MessageFault dead-letters, Unavailable waits."""
BatchHandler = Callable[[Sequence[Delivery]], Awaitable[None]]
"""The same for several messages at once; if it fails, it is called again with one at a time."""


@dataclass(frozen=True, slots=True)
class _Taken:
    raw: AbstractIncomingMessage
    delivery: Delivery


class Consumer:
    """Consumes one queue while `run` runs, through lost connections and outages.

    With `concurrency=1` messages are handled in the order of the queue.
    """

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        handlers: Mapping[type[Message], Handler] | BatchHandler,
        *,
        concurrency: int = 8,
        size: int = 1,
        linger: float = 0.0,
        tries: Tries | None = None,
        drain_seconds: float = 10.0,
    ) -> None:
        if not 1 <= concurrency * size <= MAX_PREFETCH:
            raise ValueError(
                f"{queue.name}: concurrency {concurrency} x {size} must be within 1 to {MAX_PREFETCH}"
            )
        self._broker = broker
        self._queue = queue
        self._known = {model.type: model for model in queue.messages}
        self._call = handlers if callable(handlers) else _dispatcher(queue, handlers)
        self._concurrency, self._size, self._linger = concurrency, size, linger
        self._tries = tries or Tries()
        self._drain_seconds = drain_seconds
        self._gate = Gate(queue.name)
        _start_counting(queue)
        self.consuming = False
        """Whether the broker is delivering to us."""

    @classmethod
    def batches(
        cls,
        broker: Broker,
        queue: Queue,
        handler: BatchHandler,
        *,
        handles: Collection[type[Message]],
        size: int = MAX_PREFETCH,
        linger: float = 0.003,
        concurrency: int = 1,
        tries: Tries | None = None,
        drain_seconds: float = 10.0,
    ) -> "Consumer":
        """A consumer whose handler gets up to `size` messages of any type of the queue at once.

        `handles`: the types that the handler knows; no other may be acknowledged in silence.
        """
        _require_all(queue, handles)
        return cls(
            broker,
            queue,
            handler,
            concurrency=concurrency,
            size=size,
            linger=linger,
            tries=tries,
            drain_seconds=drain_seconds,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping` is set, then finish what was begun; after a failure start again."""
        backoff = Backoff(first=0.1, most=5.0)
        while not stopping.is_set():
            started = time.monotonic()
            try:
                await self._consume(stopping)
            except asyncio.CancelledError:
                if cancelled_by_us():
                    raise
                log.warning("consumer.failed", queue=self._queue.name, error="cancelled by the library")
            except Exception as error:
                log.warning("consumer.failed", queue=self._queue.name, error=repr(error))
            if time.monotonic() - started > 5.0:
                backoff.reset()
            await wait_for_any(stopping, timeout=backoff.take())

    async def _consume(self, stopping: asyncio.Event) -> None:
        await wait_for_any(stopping, self._broker.consuming.up)
        if stopping.is_set():
            return
        prefetch = min(MAX_PREFETCH, max(self._concurrency * self._size * 2, MIN_PREFETCH))
        async with open_session(
            self._broker.consuming, self._queue, prefetch=prefetch, on_start=self._started
        ) as session:
            workers = [asyncio.create_task(self._work(session)) for _ in range(self._concurrency)]
            try:
                await wait_for_any(stopping, session.ended)
            finally:
                self.consuming = False
                await session.stop()
                await _drain(workers, self._drain_seconds)

    def _started(self) -> None:
        self.consuming = True
        log.info("consumer.started", queue=self._queue.name)

    async def _work(self, session: Session) -> None:
        batch: Sequence[AbstractIncomingMessage] = ()
        while not session.ended.is_set():
            # A lone message is handled at once; batching starts when a second one is waiting.
            batch = await session.take(self._size, self._linger if len(batch) > 1 else 0.0)
            await wait_for_any(self._gate.open, session.ended)
            if not batch or session.ended.is_set():
                return  # unacknowledged: delivered again
            try:
                await self._process(session, batch)
            except Abandoned:
                self._count(batch, "failed")
                return

    async def _process(self, session: Session, batch: Sequence[AbstractIncomingMessage]) -> None:
        taken: list[_Taken] = []
        for raw in batch:
            try:
                taken.append(_Taken(raw, self._decode(raw)))
            except MessageFault as error:
                await self._reject(session, raw, Failure(Fault.MESSAGE, str(error)))
        if not taken:
            return
        failure = await self._attempt(session, taken)
        if failure is None:
            await self._acknowledge(session, taken)
        elif len(taken) == 1:
            await self._reject(session, taken[0].raw, failure)
        else:
            await self._one_by_one(session, taken)

    async def _one_by_one(self, session: Session, taken: Sequence[_Taken]) -> None:
        for item in taken:
            failure = await self._attempt(session, [item])
            if failure is None:
                await self._acknowledge(session, [item])
            else:
                await self._reject(session, item.raw, failure)

    def _decode(self, raw: AbstractIncomingMessage) -> Delivery:
        return decode(
            raw.body, routing_key=raw.routing_key or "", redelivered=bool(raw.redelivered), known=self._known
        )

    async def _attempt(self, session: Session, taken: Sequence[_Taken]) -> Failure | None:
        deliveries = [item.delivery for item in taken]

        async def call() -> None:
            with _context(self._queue, deliveries):
                await self._call(deliveries)

        return await attempt(
            call,
            queue=self._queue.name,
            gate=self._gate,
            tries=self._tries,
            ended=session.ended,
            single=len(taken) == 1,
        )

    async def _acknowledge(self, session: Session, taken: Sequence[_Taken]) -> None:
        failpoints.reach(failpoints.BEFORE_ACK)
        for item in taken:
            acked = await session.ack(item.raw)
            self._count([item.raw], "acked" if acked else "failed", item.delivery.envelope.type)

    async def _reject(self, session: Session, raw: AbstractIncomingMessage, failure: Failure) -> None:
        """Dead-letter with the reason, confirmed, then acknowledge. A feed only drops its messages."""
        log.error(
            "message.rejected",
            queue=self._queue.name,
            reason=failure.reason[:1000],
            fault=failure.fault,
            message_id=raw.message_id,
            routing_key=raw.routing_key,
        )
        if self._queue.feed:
            self._count([raw], "dropped")
        else:
            await self._dead_letter(session, raw, failure)
            self._count([raw], "dead_lettered")
            MESSAGES_DEAD_LETTERED.labels(self._queue.name, failure.fault).inc()
        await session.ack(raw)

    async def _dead_letter(self, session: Session, raw: AbstractIncomingMessage, failure: Failure) -> None:
        message = dead_letter(raw, queue=self._queue.name, reason=failure.reason)

        async def publish() -> None:
            await self._broker.publisher.publish(message)

        kept = await attempt(
            publish,
            queue=self._queue.name,
            gate=self._gate,
            tries=self._tries,
            ended=session.ended,
            single=True,
        )
        if kept is not None:
            # Not even the dead-letter queue takes it: leave it with the broker.
            log.error("message.not_dead_lettered", queue=self._queue.name, reason=kept.reason)
            session.end()
            raise Abandoned

    def _count(self, batch: Sequence[AbstractIncomingMessage], outcome: str, type_: str = "") -> None:
        MESSAGES_CONSUMED.labels(self._queue.name, type_, outcome).inc(len(batch))


def _start_counting(queue: Queue) -> None:
    given_up = "dropped" if queue.feed else "dead_lettered"
    start_at_zero(MESSAGES_CONSUMED, (queue.name,), (each.type for each in queue.messages), ("acked",))
    start_at_zero(MESSAGES_CONSUMED, (queue.name,), ("",), ("failed", given_up))
    start_at_zero(HANDLER_FAILURES, (queue.name,), Fault)
    start_at_zero(LAG_SECONDS, (queue.name,))
    if not queue.feed:
        start_at_zero(MESSAGES_DEAD_LETTERED, (queue.name,), Fault)


def _note_lag(queue: Queue, deliveries: Sequence[Delivery]) -> None:
    """How far the queue is behind, by our clock and its producer's, which may be a little ahead."""
    now = datetime.now(UTC)
    for delivery in deliveries:
        if (made := delivery.envelope.time) is not None:
            LAG_SECONDS.labels(queue.name).observe(max(0.0, (now - made).total_seconds()))


def _dispatcher(queue: Queue, handlers: Mapping[type[Message], Handler]) -> BatchHandler:
    _require_all(queue, handlers)

    async def dispatch(deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            await handlers[type(delivery.message)](delivery)

    return dispatch


def _require_all(queue: Queue, handled: Collection[type[Message]]) -> None:
    missing = [model.__name__ for model in queue.messages if model not in handled]
    if missing:
        raise ValueError(f"{queue.name}: no handler for {', '.join(missing)}, which the queue is bound to")


@contextmanager
def _context(queue: Queue, deliveries: Sequence[Delivery]) -> Iterator[None]:
    """Log fields and trace of the message, for everything that the handler logs and publishes."""
    structlog.contextvars.clear_contextvars()
    first = deliveries[0]
    _note_lag(queue, deliveries)
    type_ = first.envelope.type if len({d.envelope.type for d in deliveries}) == 1 else "several"
    structlog.contextvars.bind_contextvars(queue=queue.name, message_type=type_, messages=len(deliveries))
    if len(deliveries) == 1:
        structlog.contextvars.bind_contextvars(message_id=first.envelope.id)
        if first.envelope.traceparent:
            structlog.contextvars.bind_contextvars(traceparent=first.envelope.traceparent)
    started = time.perf_counter()
    try:
        yield
    finally:
        HANDLER_SECONDS.labels(queue.name, type_).observe(time.perf_counter() - started)
        structlog.contextvars.clear_contextvars()


async def _drain(workers: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Let workers finish what they began; later ones are cancelled and their messages redelivered."""
    _, late = await asyncio.wait(workers, timeout=seconds)
    for worker in late:
        worker.cancel()
    for result in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
