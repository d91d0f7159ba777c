"""A database with one outbox, a broker connection on a fresh virtual host, and the two together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aio_pika
import asyncpg
import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.messaging.connection import Broker, Timeouts
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.relay import Tuning

TABLE = """
CREATE SCHEMA jobs;
CREATE TABLE jobs.outbox (
    id uuid PRIMARY KEY, exchange text NOT NULL, routing_key text NOT NULL,
    mandatory boolean NOT NULL DEFAULT false, body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), claimed_until timestamptz);
CREATE INDEX outbox_created ON jobs.outbox (created_at);
CREATE TABLE jobs.effects (id uuid PRIMARY KEY);
"""

QUICK = Timeouts(connect=3, operation=3, publish=1.5, heartbeat=5, start=10)
QUICK_TUNING = Tuning(grace=0.5, lease=1.0, retry=0.5, poll=0.1, measure=0.2)


@pytest.fixture
async def outbox_database(empty_database: Database) -> Database:
    await empty_database.execute(TABLE)
    return empty_database


@pytest.fixture
async def pool(outbox_database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(outbox_database.url) as opened:
        yield opened


@contextlib.asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(url, min_size=1, max_size=10, command_timeout=10) as opened:
        yield opened


async def outbox_rows(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM jobs.outbox"))


@pytest.fixture
async def connected(broker: BrokerVhost) -> AsyncIterator[Broker]:
    async with Broker.open(broker.url, name="test", timeouts=QUICK) as opened:
        yield opened


@contextlib.asynccontextmanager
async def running(*coroutines: Any) -> AsyncIterator[None]:
    """Background tasks that must not end before the block does."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        yield
        for task in tasks:
            assert not task.done(), f"ended by itself: {task}"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=10)


@contextlib.asynccontextmanager
async def relaying(
    pool: asyncpg.Pool, broker: Broker, tuning: Tuning = QUICK_TUNING
) -> AsyncIterator[Outbox]:
    outbox = Outbox(schema="jobs", source="/test", pool=pool, publisher=broker.publisher, tuning=tuning)
    async with running(outbox.run()):
        yield outbox


@contextlib.asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[asyncio.Event]:
    """The consumer runs, and stops in order at the end."""
    stopping = asyncio.Event()
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield stopping
        stopping.set()
        await asyncio.wait_for(task, 30)
    finally:
        task.cancel()


@dataclass
class Foreign:
    """Somebody else's client, who may send anything."""

    channel: aio_pika.abc.AbstractChannel

    async def send(self, body: bytes, *, exchange: str, key: str, **properties: Any) -> None:
        target = (
            await self.channel.get_exchange(exchange, ensure=False)
            if exchange
            else self.channel.default_exchange
        )
        await target.publish(aio_pika.Message(body, **properties), key, mandatory=False)


@pytest.fixture
async def foreign(broker: BrokerVhost) -> AsyncIterator[Foreign]:
    connection = await aio_pika.connect(broker.url)
    async with connection:
        yield Foreign(await connection.channel())


async def message_ids(broker: Broker, queue: str) -> list[str]:
    """Empty a queue."""
    channel = await broker.consuming.channel()
    declared, found = await channel.get_queue(queue), []
    while (raw := await declared.get(fail=False)) is not None:
        found.append(raw.message_id or "")
        await raw.ack()
    await channel.close()
    return found
