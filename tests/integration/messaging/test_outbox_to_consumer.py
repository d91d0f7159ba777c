"""From a committed transaction to a handler, on real servers."""

import asyncio
import contextlib
import dataclasses
from uuid import UUID

import asyncpg
import pytest
from tests.integration.messaging.conftest import QUICK_TUNING, consuming, message_ids, outbox_rows, relaying
from tests.integration.messaging.messages import RUNS, run_requested, updated
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import CallbackReceived, RunnersWake, TableUpdated
from orchestrator_shared.contracts.routing import RUNNER_COMMANDS, RUNNER_FEED, TRIGGER_WATCHER_UPDATES
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.outbox import outgoing_message


async def test_said_messages_arrive_and_leave_no_row(pool: asyncpg.Pool, connected: Broker) -> None:
    heard: list[Delivery] = []

    async def on_run(delivery: Delivery) -> None:
        heard.append(delivery)

    consumer = Consumer(connected, RUNS, {RunRequested: on_run})
    said = [run_requested() for _ in range(30)]
    async with relaying(pool, connected) as outbox, consuming(consumer):
        async with outbox.work() as work:
            work.publish(*said)
        await eventually(lambda: len(heard) == len(said))
        assert await outbox.flush(5)
    assert {delivery.message for delivery in heard} == set(said)
    assert heard[0].envelope.source == "/test"
    assert await pool.fetchval("SELECT count(*) FROM jobs.outbox") == 0


async def test_a_rolled_back_transaction_publishes_nothing(pool: asyncpg.Pool, connected: Broker) -> None:
    async with relaying(pool, connected) as outbox:
        with contextlib.suppress(ZeroDivisionError):
            async with outbox.work() as work:
                work.publish(run_requested())
                raise ZeroDivisionError
        async with outbox.work() as work:
            work.publish(run_requested())
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
            work.publish(*(updated(rows=number) for number in range(100)))
        await eventually(lambda: len(heard) == 100)
    assert heard == list(range(100))


async def test_hints_reach_the_feed_of_every_replica(pool: asyncpg.Pool, connected: Broker) -> None:
    heard: list[str] = []

    def replica(name: str) -> Consumer:
        async def on_wake(delivery: Delivery) -> None:
            heard.append(name)

        return Consumer(connected, RUNNER_FEED, {RunnersWake: on_wake, CallbackReceived: on_wake})

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

    consumer = Consumer.batches(connected, RUNS, on_batch, handles=RUNS.messages, size=25, linger=0.05)
    async with relaying(pool, connected) as outbox:
        async with outbox.work() as work:
            work.publish(*(run_requested() for _ in range(50)))
        assert await outbox.flush(5)
        async with consuming(consumer):
            await eventually(lambda: sum(sizes) == 50)
    assert max(sizes) > 10


async def test_what_finds_no_room_in_memory_is_published_too(pool: asyncpg.Pool, connected: Broker) -> None:
    tight = dataclasses.replace(QUICK_TUNING, memory=5, batch=10)
    async with relaying(pool, connected, tight) as outbox:
        async with outbox.work() as work:
            work.publish(*(run_requested() for _ in range(100)))
        await eventually(lambda: emptied(pool))
    assert len(set(await message_ids(connected, "runner.commands"))) == 100


async def emptied(pool: asyncpg.Pool) -> bool:
    return await outbox_rows(pool) == 0


async def test_two_relays_of_one_table_publish_each_row_once(pool: asyncpg.Pool, connected: Broker) -> None:
    old = [outgoing_message(run_requested(), source="/test") for _ in range(300)]
    await pool.executemany(
        "INSERT INTO jobs.outbox (id, exchange, routing_key, mandatory, body, created_at)"
        " VALUES ($1, $2, $3, true, $4, clock_timestamp() - interval '1 minute')",
        [(UUID(each.id), each.exchange, each.routing_key, each.body) for each in old],
    )
    patient = dataclasses.replace(QUICK_TUNING, batch=20, lease=30.0)
    async with relaying(pool, connected, patient), relaying(pool, connected, patient):
        await eventually(lambda: emptied(pool))
    assert sorted(await message_ids(connected, "runner.commands")) == sorted(each.id for each in old)


async def test_a_failing_callback_does_not_undo_the_commit(pool: asyncpg.Pool, connected: Broker) -> None:
    called: list[str] = []

    def failing() -> None:
        called.append("failing")
        raise ValueError

    async with relaying(pool, connected) as outbox, outbox.work() as work:
        work.publish(run_requested())
        work.after_commit(failing)
        work.after_commit(lambda: called.append("next"))
    assert called == ["failing", "next"]


def test_a_message_without_handler_is_a_mistake_of_the_code(connected: Broker) -> None:
    with pytest.raises(ValueError, match="no handler for BackfillRequested, TerminateRequested"):
        Consumer(connected, RUNNER_COMMANDS, {RunRequested: lambda _: asyncio.sleep(0)})
