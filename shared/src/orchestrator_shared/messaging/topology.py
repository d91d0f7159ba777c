"""Exchanges, queues and bindings, declared idempotently from the routing table."""

from collections.abc import Mapping

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from pamqp.common import FieldTable

from orchestrator_shared.contracts.message import COMMANDS, DEAD_LETTERS, EVENTS, TABLE_UPDATES
from orchestrator_shared.contracts.routing import Queue

DEAD_LETTER_QUEUE = DEAD_LETTERS
DELIVERY_LIMIT = 100
"""Only a safety net for crashes: what a handler refuses never gets this far."""
DEAD_LETTER_DELIVERY_LIMIT = 1_000_000_000
"""Looking at dead letters counts as delivering them, and RabbitMQ 4 drops what was delivered 20 times."""

EXCHANGES: Mapping[str, ExchangeType] = {
    TABLE_UPDATES: ExchangeType.TOPIC,
    COMMANDS: ExchangeType.DIRECT,
    EVENTS: ExchangeType.TOPIC,
    DEAD_LETTERS: ExchangeType.TOPIC,
}


async def declare(
    channel: AbstractChannel, *queues: Queue, timeout: float = 10.0
) -> dict[str, AbstractQueue]:
    """Declare all exchanges, the dead-letter queue and the given queues; returns these by name."""
    for name, kind in EXCHANGES.items():
        await channel.declare_exchange(name, kind, durable=True, timeout=timeout)
    dead = await channel.declare_queue(
        DEAD_LETTER_QUEUE,
        durable=True,
        timeout=timeout,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": DEAD_LETTER_DELIVERY_LIMIT},
    )
    await dead.bind(DEAD_LETTERS, "#", timeout=timeout)
    return {queue.name: await _declare_queue(channel, queue, timeout) for queue in queues}


async def attach(channel: AbstractChannel, queue: Queue, *, timeout: float = 10.0) -> AbstractQueue:
    """The queue for a user who may not configure: a durable one was made by somebody else."""
    if queue.feed:
        return await _declare_queue(channel, queue, timeout)
    return await channel.get_queue(queue.name, ensure=False)


async def _declare_queue(channel: AbstractChannel, queue: Queue, timeout: float) -> AbstractQueue:
    if queue.feed:
        declared = await channel.declare_queue(None, exclusive=True, auto_delete=True, timeout=timeout)
    else:
        declared = await channel.declare_queue(
            queue.name, durable=True, arguments=queue_arguments(queue), timeout=timeout
        )
    for message in queue.messages:
        await declared.bind(message.exchange, message.key, timeout=timeout)
    return declared


def queue_arguments(queue: Queue) -> FieldTable:
    """What a durable queue is declared with; nothing that RabbitMQ 3.10 or 4.x lacks."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_LETTERS,
        "x-dead-letter-routing-key": queue.name,
    }
