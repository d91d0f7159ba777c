"""From a committed transaction to a handler, on real servers."""

import asyncio
import contextlib

import asyncpg
from tests.integration.messaging.conftest import consuming, message_ids, relaying
from tests.integration.messaging.messages import run_requested, updated
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import RunnersWake, TableUpdated
from orchestrator_shared.contracts.routing import RUNNER_COMMANDS, RUNNER_FEED, TRIGGER_WATCHER_UPDATES
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery


async def test_said_messages_arrive_and_leave_no_row(pool: asyncpg.Pool, connected: Broker) -> None:
    heard: list[Delivery] = []

    async def on_run(delivery: Delivery) -> None:
        heard.append(delivery)

    consumer = Consumer(connected, RUNNER_COMMANDS, {RunRequested: on_run})
    said = [run_requested() for _ in range(30)]
    async with relaying(pool, connected) as outbox, consuming(consumer):
        async with outbox.work() as work:
            work.say(*said)
        await eventually(lambda: len(heard) == len(said))
        assert await outbox.flush(5)
    assert {delivery.message for delivery in heard} == set(said)
    assert heard[0].envelope.source == "/test"
    assert await pool.fetchval("SELECT count(*) FROM jobs.outbox") == 0


async def test_a_rolled_back_transaction_says_nothing(pool: asyncpg.Pool, connected: Broker) -> None:
    async with relaying(pool, connected) as outbox:
        with contextlib.suppress(ZeroDivisionError):
            async with outbox.work() as work:
                work.say(run_requested())
                raise ZeroDivisionError
        async with outbox.work() as work:
            work.say(run_requested())
        assert await outbox.flush(5)
    assert len(await message_ids(connected, "runner.commands")) == 1


async def test_concurrency_one_keeps_the_order(pool: asyncpg.Pool, connected: Broker) -> None:
    heard: list[int | None] = []

    async def on_update(delivery: Delivery) -> None:
        assert isinstance(delivery.message, TableUpdated)
        await asyncio.sleep(0)
        heard.append(delivery.message.rows)

    consumer = Consumer(connected, TRIGGER_WATCHER_UPDATES, {TableUpdated: on_update}, concurrency=1)
    async with relaying(pool, connected) as outbox, consuming(consumer):
        async with outbox.work() as work:
            work.say(*(updated(rows=number) for number in range(100)))
        await eventually(lambda: len(heard) == 100)
    assert heard == list(range(100))


async def test_hints_reach_the_feed_of_every_replica(pool: asyncpg.Pool, connected: Broker) -> None:
    heard: list[str] = []

    def replica(name: str) -> Consumer:
        async def on_wake(delivery: Delivery) -> None:
            heard.append(name)

        return Consumer(connected, RUNNER_FEED, {RunnersWake: on_wake})

    first, second = replica("first"), replica("second")
    async with relaying(pool, connected) as outbox, consuming(first), consuming(second):
        await eventually(lambda: first.consuming and second.consuming)
        outbox.hint(RunnersWake(ready=1))
        await eventually(lambda: sorted(heard) == ["first", "second"])


async def test_batches_come_together(pool: asyncpg.Pool, connected: Broker) -> None:
    sizes: list[int] = []

    async def on_batch(deliveries: object) -> None:
        assert isinstance(deliveries, list)
        sizes.append(len(deliveries))

    consumer = Consumer.batches(connected, RUNNER_COMMANDS, on_batch, size=25, linger=0.05)
    async with relaying(pool, connected) as outbox:
        async with outbox.work() as work:
            work.say(*(run_requested() for _ in range(50)))
        assert await outbox.flush(5)
        async with consuming(consumer):
            await eventually(lambda: sum(sizes) == 50)
    assert max(sizes) > 10
