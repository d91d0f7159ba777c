"""A broker that is killed and started again, and one that blocks publishing."""

import asyncio

import asyncpg
import pytest
from tests.integration.messaging.conftest import QUICK, consuming, outbox_rows, relaying
from tests.integration.messaging.messages import RUNS, run_requested
from tests.support.waiting import eventually

from orchestrator_local.servers.rabbitmq import RabbitServer
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.outbox import Outbox


async def say(outbox: Outbox) -> None:
    async with outbox.work() as work:
        work.publish(run_requested())


@pytest.mark.slow
async def test_a_crash_and_an_alarm_lose_nothing(pool: asyncpg.Pool, private_broker: RabbitServer) -> None:
    heard: set[str] = set()

    async def on_run(delivery: Delivery) -> None:
        heard.add(delivery.envelope.id)

    async with Broker.open(private_broker.url, name="test", timeouts=QUICK) as connected:
        consumer = Consumer(connected, RUNS, {RunRequested: on_run})
        async with relaying(pool, connected) as outbox, consuming(consumer):
            await say(outbox)
            await eventually(lambda: len(heard) == 1)

            await asyncio.to_thread(private_broker.stop, immediate=True)  # confirmed is kept, also then
            await eventually(lambda: not connected.ready() and not consumer.consuming)
            await say(outbox)
            await asyncio.to_thread(private_broker.start)
            await eventually(lambda: len(heard) == 2, timeout=30)
            await eventually(lambda: connected.ready() and consumer.consuming)

            await control(private_broker, "set_vm_memory_high_watermark", "0.00001")
            await say(outbox)  # the broker says that it blocks only to those who publish
            await eventually(lambda: connected.blocked)
            assert not connected.ready()
            assert consumer.consuming
            await eventually(lambda: outbox.flush(0.1))
            assert await outbox_rows(pool) == 1
            await control(private_broker, "set_vm_memory_high_watermark", "0.9")
            await eventually(lambda: connected.ready())
            await eventually(lambda: len(heard) == 3)
            await eventually(lambda: outbox.flush(0.1))


async def control(broker: RabbitServer, *arguments: str) -> None:
    await asyncio.to_thread(broker.control, *arguments)
