"""AMQP for the drivers and the reference engine: little above the protocol, confirms on, batches."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Self, cast

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic

PERSISTENT = 2
QUORUM = {"x-queue-type": "quorum"}
CONFIRM_SECONDS = 60.0
Outgoing = tuple[str, str, bytes]
"""Exchange, routing key, body."""


class Inbox:
    """What one consumer was given, to be taken in batches and acknowledged in the order of delivery."""

    def __init__(self, channel: AbstractChannel, *, acknowledged: bool) -> None:
        self._channel = channel
        self._acknowledged = acknowledged
        self._waiting: list[DeliveredMessage] = []
        self.arrived = asyncio.Event()

    async def receive(self, message: DeliveredMessage) -> None:
        self._waiting.append(message)
        self.arrived.set()

    def take(self) -> list[DeliveredMessage]:
        """Everything that waits now."""
        batch, self._waiting = self._waiting, []
        self.arrived.clear()
        return batch

    async def acknowledge_up_to(self, batch: Sequence[DeliveredMessage]) -> None:
        if batch and self._acknowledged:
            await self._channel.basic_ack(last_tag(batch), multiple=True, wait=False)

    async def acknowledge(self, message: DeliveredMessage) -> None:
        assert message.delivery_tag is not None
        await self._channel.basic_ack(message.delivery_tag, wait=False)


def last_tag(batch: Sequence[DeliveredMessage]) -> int:
    tag = batch[-1].delivery_tag
    assert tag is not None
    return tag


class Wire:
    """Two connections, one to publish and one to consume."""

    def __init__(
        self, publishing: aiormq.abc.AbstractConnection, consuming: aiormq.abc.AbstractConnection
    ) -> None:
        self._publishing = publishing
        self._consuming = consuming
        self._channel: Channel | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        publishing, consuming = await aiormq.connect(url), await aiormq.connect(url)
        try:
            wire = cls(publishing, consuming)
            wire._channel = cast(Channel, await publishing.channel())
            yield wire
        finally:
            await publishing.close()
            await consuming.close()

    async def publish(self, messages: Iterable[Outgoing]) -> None:
        """Publish all at once, persistent and mandatory, and wait for all confirms."""
        async with asyncio.timeout(CONFIRM_SECONDS):
            await asyncio.gather(*(self._publish(*message) for message in messages))

    async def _publish(self, exchange: str, key: str, body: bytes) -> None:
        assert self._channel is not None
        properties = Basic.Properties(delivery_mode=PERSISTENT)
        await self._channel.basic_publish(
            body, exchange=exchange, routing_key=key, properties=properties, mandatory=True, wait=False
        )

    async def declare(self, *queues: str) -> None:
        """Durable quorum queues."""
        channel = await self._consuming.channel()
        for queue in queues:
            await channel.queue_declare(queue, durable=True, arguments=dict(QUORUM))
        await channel.close()

    async def consume(self, queue: str, *, prefetch: int) -> Inbox:
        channel = await self._consuming.channel()
        await channel.basic_qos(prefetch_count=prefetch)
        inbox = Inbox(channel, acknowledged=True)
        await channel.basic_consume(queue, inbox.receive)
        return inbox

    async def follow(self, exchange: str, *keys: str) -> Inbox:
        """A private queue, without acknowledgements, with what is published from now on."""
        channel = await self._consuming.channel()
        queue = (await channel.queue_declare("", exclusive=True)).queue
        assert queue is not None
        for key in keys:
            await channel.queue_bind(queue, exchange, routing_key=key)
        inbox = Inbox(channel, acknowledged=False)
        await channel.basic_consume(queue, inbox.receive, no_ack=True)
        return inbox
