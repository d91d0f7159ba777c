"""Publishing with confirms: many in flight, every wait bounded, every outcome named."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, cast

import structlog
from aio_pika.abc import AbstractChannel
from aiormq.channel import Channel as ProtocolChannel
from aiormq.exceptions import AMQPError, DeliveryError, PublishError
from pamqp.commands import Basic

from orchestrator_shared.contracts.envelope import CONTENT_TYPE
from orchestrator_shared.contracts.message import COMMANDS, DEAD_LETTERS, EVENTS, TABLE_UPDATES
from orchestrator_shared.domain.errors import OrchestratorError, Unavailable
from orchestrator_shared.messaging.cancellation import cancelled_by_us, end_quietly
from orchestrator_shared.messaging.metrics import PUBLISH_SECONDS
from orchestrator_shared.metrics import MESSAGES_PUBLISHED, start_at_zero

if TYPE_CHECKING:
    from orchestrator_shared.messaging.connection import Link

log = structlog.get_logger(__name__)

PERSISTENT, TRANSIENT = 2, 1
RECONNECT_PATIENCE = 1.0
"""How long a publish waits for a lost connection; after that the sender decides."""
Headers = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be published; its `id` is the same at every attempt."""

    id: str
    exchange: str
    routing_key: str
    body: bytes
    mandatory: bool = False
    persistent: bool = True
    content_type: str = CONTENT_TYPE
    headers: Headers = field(default_factory=dict)

    def properties(self) -> Basic.Properties:
        """The AMQP properties it travels with."""
        return Basic.Properties(
            content_type=self.content_type,
            message_id=self.id,
            delivery_mode=PERSISTENT if self.persistent else TRANSIENT,
            headers=dict(self.headers) or None,
        )


class Outcome(StrEnum):
    """What became of a message; unknown: it may have arrived, publish it again under the same id."""

    CONFIRMED = "confirmed"
    RETURNED = "returned"
    REFUSED = "refused"
    UNKNOWN = "unknown"


start_at_zero(MESSAGES_PUBLISHED, (COMMANDS, DEAD_LETTERS, EVENTS, TABLE_UPDATES), Outcome)


class NotPublished(OrchestratorError):
    """The broker will not take this message as it is: no queue for it, no such exchange, not permitted."""


class Publisher:
    """Publishes on one channel of a link; a connection that does not confirm in time is dropped."""

    def __init__(self, link: "Link", *, in_flight: int = 200) -> None:
        self._link = link
        self._room = asyncio.Semaphore(in_flight)
        self._opening = asyncio.Lock()
        self._channel: AbstractChannel | None = None

    @property
    def ready(self) -> bool:
        return self._link.connected and not self._link.blocked

    async def publish(self, message: Outgoing) -> None:
        """Publish one message and return when it is confirmed; raises Unavailable or NotPublished."""
        outcome = (await self.publish_many([message]))[0]
        if outcome is Outcome.UNKNOWN:
            raise Unavailable("the broker did not confirm a message in time")
        if outcome is not Outcome.CONFIRMED:
            raise NotPublished(f"{outcome}: exchange {message.exchange}, routing key {message.routing_key}")

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish concurrently; outcomes in the order of the messages. Raises only our own cancellation."""
        outcomes = await self._publish_together(messages)
        if Outcome.REFUSED in outcomes:
            await self._find_refused(messages, outcomes)
        for message, outcome in zip(messages, outcomes, strict=True):
            MESSAGES_PUBLISHED.labels(message.exchange, outcome).inc()
        return outcomes

    async def _find_refused(self, messages: Sequence[Outgoing], outcomes: list[Outcome]) -> None:
        """One bad message closed the channel for all: find it by publishing each on its own channel."""
        for index, outcome in enumerate(outcomes):
            if outcome is Outcome.CONFIRMED or outcome is Outcome.RETURNED:
                continue
            outcomes[index] = await self._publish_alone(messages[index]) if self.ready else Outcome.UNKNOWN

    async def _publish_together(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        try:
            channel = await _protocol(await self._shared_channel())
        except (Unavailable, RuntimeError):
            return [Outcome.UNKNOWN] * len(messages)
        if len(messages) == 1:
            return [await self._publish_on(channel, messages[0])]
        return await asyncio.gather(*(self._publish_on(channel, message) for message in messages))

    async def _publish_alone(self, message: Outgoing) -> Outcome:
        try:
            channel = await self._link.channel(returns=True)
            outcome = await self._publish_on(await _protocol(channel), message)
        except (Unavailable, RuntimeError):
            return Outcome.UNKNOWN
        await end_quietly(channel.close(), timeout=self._link.timeouts.operation)
        return outcome

    async def _shared_channel(self) -> AbstractChannel:
        if self._link.blocked:
            raise Unavailable("the broker blocks publishing")
        await self._link.wait_connected(RECONNECT_PATIENCE)
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._link.channel(returns=True)
            return self._channel

    async def _publish_on(self, channel: ProtocolChannel, message: Outgoing) -> Outcome:
        async with self._room:
            started = time.perf_counter()
            outcome = await self._attempt(channel, message)
            PUBLISH_SECONDS.observe(time.perf_counter() - started)
            return outcome

    async def _attempt(self, channel: ProtocolChannel, message: Outgoing) -> Outcome:
        try:
            async with asyncio.timeout(self._link.timeouts.publish):
                await channel.basic_publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    properties=message.properties(),
                    mandatory=message.mandatory,
                    wait=False,
                )
        except asyncio.CancelledError:
            if cancelled_by_us():
                raise
            return Outcome.UNKNOWN
        except TimeoutError:
            self._link.drop("a message was not confirmed in time")
            return Outcome.UNKNOWN
        except Exception as error:
            return self._outcome_of(error, message)
        return Outcome.CONFIRMED

    def _outcome_of(self, error: Exception, message: Outgoing) -> Outcome:
        facts = {"exchange": message.exchange, "routing_key": message.routing_key, "message_id": message.id}
        if isinstance(error, PublishError):
            log.warning("message.returned", **facts)
            return Outcome.RETURNED
        if isinstance(error, DeliveryError | ConnectionError | OSError | RuntimeError):
            return Outcome.UNKNOWN
        if isinstance(error, AMQPError | ValueError | TypeError):
            log.error("message.refused", error=repr(error), **facts)
            return Outcome.REFUSED
        raise error


async def _protocol(channel: AbstractChannel) -> ProtocolChannel:
    """The protocol layer, where publishing does not wait for the socket to drain (`_room` bounds it)."""
    return cast(ProtocolChannel, await channel.get_underlay_channel())
