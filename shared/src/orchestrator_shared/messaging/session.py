"""One consumer on one channel: from its start until the channel is lost or we stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import AMQPError, ChannelAccessRefused

from orchestrator_shared.contracts.routing import Queue
from orchestrator_shared.messaging.cancellation import cancelled_by_us, end_quietly
from orchestrator_shared.messaging.connection import Link
from orchestrator_shared.messaging.topology import attach, declare

log = structlog.get_logger(__name__)

MAX_WORKERS = 64


class Session:
    """Buffers deliveries; callbacks do no more than that, since a lost connection cancels them."""

    def __init__(self, channel: AbstractChannel, queue: AbstractQueue, *, timeout: float) -> None:
        self._channel = channel
        self._timeout = timeout
        self._queue = queue
        self._tag: str | None = None
        self._inbox: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        """Set when the channel is lost, the queue is gone, or we stop."""

    async def start(self) -> None:
        """Begin to receive."""
        protocol = await self._channel.get_underlay_channel()
        protocol.closing.add_done_callback(lambda _: self.end())
        protocol.on_consumer_cancel_callbacks.add(lambda _: self.end())
        self._tag = await self._queue.consume(self._receive, timeout=self._timeout)

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        self._inbox.put_nowait(message)

    async def take(self, most: int, linger: float) -> list[AbstractIncomingMessage]:
        """The next messages, more than one if they come within `linger` s; none when the session ended."""
        first = await self._inbox.get()
        if first is None or self.ended.is_set():
            return []
        batch = [first]
        try:
            async with asyncio.timeout(linger if most > 1 else None):
                while len(batch) < most and not self.ended.is_set():
                    more = await self._inbox.get()
                    if more is None:
                        break
                    batch.append(more)
        except TimeoutError:
            return batch
        return batch

    def end(self) -> None:
        """Take nothing more, and wake all waiting workers."""
        if not self.ended.is_set():
            self.ended.set()
            for _ in range(MAX_WORKERS):
                self._inbox.put_nowait(None)

    async def ack(self, message: AbstractIncomingMessage) -> bool:
        """Acknowledge; False if the channel is gone, then the message comes again."""
        try:
            assert message.delivery_tag is not None
            channel = await self._channel.get_underlay_channel()
            async with asyncio.timeout(self._timeout):
                await channel.basic_ack(message.delivery_tag, wait=False)
        except asyncio.CancelledError:
            if cancelled_by_us():
                raise
            return False
        except (AMQPError, OSError, RuntimeError):
            return False
        return True

    async def stop(self) -> None:
        """Stop receiving; give back what was not begun."""
        self.end()
        if self._channel.is_closed or self._tag is None:
            return
        await end_quietly(self._queue.cancel(self._tag), timeout=self._timeout)
        while not self._inbox.empty():
            message = self._inbox.get_nowait()
            if message is not None:
                await end_quietly(message.nack(requeue=True), timeout=self._timeout)


async def _declare(link: Link, queue: Queue) -> None:
    channel = await link.channel()
    try:
        await declare(channel, *(() if queue.feed else (queue,)), timeout=link.timeouts.operation)
    except ChannelAccessRefused as error:
        # A refusal closes the channel, so this one is for declaring only.
        log.info("consumer.topology_not_permitted", queue=queue.name, error=repr(error))
    finally:
        await end_quietly(channel.close(), timeout=link.timeouts.operation)


@asynccontextmanager
async def open_session(
    link: Link, queue: Queue, *, prefetch: int, on_start: Callable[[], None]
) -> AsyncIterator[Session]:
    """Open a channel, declare the queue and consume from it; ends with the channel closed."""
    timeout = link.timeouts.operation
    await _declare(link, queue)
    channel = await link.channel()
    session: Session | None = None
    try:
        async with asyncio.timeout(timeout):
            await channel.set_qos(prefetch_count=prefetch, timeout=timeout)
            attached = await attach(channel, queue, timeout=timeout)
            session = Session(channel, attached, timeout=timeout)
            await session.start()
        on_start()
        yield session
    finally:
        if session is not None:
            await session.stop()
        await end_quietly(channel.close(), timeout=timeout)
