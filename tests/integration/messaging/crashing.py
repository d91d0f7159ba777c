"""A process that says one message, or handles one, and dies at the point that its environment names."""

import asyncio
import sys

import asyncpg
from tests.integration.messaging.messages import RUNS, run_requested

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.outbox import Outbox

EFFECT = "INSERT INTO jobs.effects (id) VALUES ($1) ON CONFLICT DO NOTHING"


async def say(pool: asyncpg.Pool, broker: Broker) -> None:
    outbox = Outbox(schema="jobs", source="/test", pool=pool, publisher=broker.publisher)
    relay = asyncio.create_task(outbox.run())
    async with outbox.work() as work:
        message = run_requested()
        work.publish(message)
        await work.connection.execute(EFFECT, message.job_id)
    await outbox.flush(10)
    relay.cancel()


async def handle(pool: asyncpg.Pool, broker: Broker) -> None:
    stopping = asyncio.Event()

    async def on_run(delivery: Delivery) -> None:
        assert isinstance(delivery.message, RunRequested)
        await pool.execute(EFFECT, delivery.message.job_id)
        stopping.set()

    await Consumer(broker, RUNS, {RunRequested: on_run}).run(stopping)


async def main(action: str, database_url: str, amqp_url: str) -> None:
    async with (
        asyncio.timeout(60),
        asyncpg.create_pool(database_url, min_size=1, max_size=3) as pool,
        Broker.open(amqp_url, name="crashing") as broker,
    ):
        await {"say": say, "handle": handle}[action](pool, broker)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
