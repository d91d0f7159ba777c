"""Figures, not a test: `python -m tests.integration.messaging.measure`."""

import asyncio
import statistics
import time

import aio_pika
import asyncpg
from tests.integration.messaging.conftest import TABLE, consuming, relaying
from tests.integration.messaging.messages import RUNS, run_requested
from tests.support.brokers import fresh_vhost
from tests.support.databases import empty_database
from tests.support.servers import Run, rabbitmq

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.outbox import outgoing_message
from orchestrator_shared.messaging.relay import Tuning

MESSAGES, CONCURRENCY = 3000, 20
INSERT = "INSERT INTO jobs.outbox (id, exchange, routing_key, mandatory, body) VALUES ($1, $2, $3, $4, $5)"


async def through_outbox(pool: asyncpg.Pool, broker: Broker) -> float:
    async with relaying(pool, broker, Tuning()) as outbox:
        left = iter(range(MESSAGES))

        async def worker() -> None:
            for _ in left:
                async with outbox.work() as work:
                    work.publish(run_requested())

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
        assert await outbox.flush(60)
        return MESSAGES / (time.perf_counter() - started)


async def raw(pool: asyncpg.Pool, url: str) -> float:
    """What one would write without a relay: insert, publish with confirm, delete, each message for itself."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange("orchestrator.commands", ensure=False)
        left = iter(range(MESSAGES))

        async def worker() -> None:
            for _ in left:
                id_, body = new_id(), outgoing_message(run_requested(), source="/test").body
                async with pool.acquire() as database, database.transaction():
                    await database.execute(INSERT, id_, "orchestrator.commands", "run.requested", True, body)
                message = aio_pika.Message(
                    body, message_id=str(id_), delivery_mode=aio_pika.DeliveryMode.PERSISTENT
                )
                await exchange.publish(message, "run.requested", mandatory=True)
                await pool.execute("DELETE FROM jobs.outbox WHERE id = $1", id_)

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
        return MESSAGES / (time.perf_counter() - started)


async def latency(pool: asyncpg.Pool, broker: Broker) -> list[float]:
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def on_run(delivery: Delivery) -> None:
        arrived.put_nowait(time.perf_counter())

    seconds = []
    async with (
        relaying(pool, broker, Tuning()) as outbox,
        consuming(Consumer(broker, RUNS, {RunRequested: on_run})),
    ):
        for _ in range(300):
            async with outbox.work() as work:
                work.publish(run_requested())
            committed = time.perf_counter()
            seconds.append(await asyncio.wait_for(arrived.get(), 30) - committed)
    return seconds


async def consume_rate(broker: Broker, batches: bool) -> float:
    messages = [outgoing_message(run_requested(), source="/test") for _ in range(MESSAGES)]
    await broker.publisher.publish_many(messages)
    done, count = asyncio.Event(), 0

    async def on_batch(deliveries: object) -> None:
        nonlocal count
        count += len(deliveries)  # type: ignore[arg-type]
        if count >= MESSAGES:
            done.set()

    async def on_run(delivery: Delivery) -> None:
        await on_batch([delivery])

    consumer = (
        Consumer.batches(broker, RUNS, on_batch, handles=RUNS.messages)
        if batches
        else Consumer(broker, RUNS, {RunRequested: on_run})
    )
    started = time.perf_counter()
    async with consuming(consumer):
        await asyncio.wait_for(done.wait(), 60)
        return MESSAGES / (time.perf_counter() - started)


async def publish_rate(broker: Broker) -> float:
    messages = [outgoing_message(run_requested(), source="/test") for _ in range(MESSAGES)]
    started = time.perf_counter()
    await broker.publisher.publish_many(messages)
    return MESSAGES / (time.perf_counter() - started)


async def main() -> None:
    with fresh_vhost(rabbitmq()) as vhost:
        async with (
            empty_database() as database,
            asyncpg.create_pool(database.url, min_size=10, max_size=20) as pool,
            Broker.open(vhost.url, name="measure") as broker,
        ):
            await database.execute(TABLE)
            for _ in range(2):
                print(f"raw insert+publish+delete: {await raw(pool, vhost.url):7.0f} messages/s")
                print(f"outbox and relay:          {await through_outbox(pool, broker):7.0f} messages/s")
            print(f"publish_many alone:        {await publish_rate(broker):7.0f} messages/s")
        async with Broker.open(vhost.url, name="measure") as broker:
            await (await (await broker.consuming.channel()).get_queue("runner.commands")).purge()
            for batches in (False, True):
                rate = await consume_rate(broker, batches)
                print(f"consume, batches={batches!s:5}:    {rate:7.0f} messages/s")
            async with (
                empty_database() as database,
                asyncpg.create_pool(database.url, min_size=10, max_size=20) as pool,
            ):
                await database.execute(TABLE)
                seconds = sorted(await latency(pool, broker))
        p50, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]
        print(f"commit to handler: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")


if __name__ == "__main__":
    run = Run.begin()
    try:
        asyncio.run(main())
    finally:
        run.end()
