"""A process dies at each named point between a commit and an acknowledgement; nothing is lost."""

import asyncio
import os
import sys

import asyncpg
import pytest
from tests.integration.messaging.conftest import message_ids, outbox_rows, relaying
from tests.integration.messaging.messages import run_requested
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.servers import REPOSITORY
from tests.support.waiting import eventually

from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.outbox import outgoing_message
from orchestrator_shared.runtime import failpoints


async def process(action: str, database: Database, broker: BrokerVhost, crash_at: str = "") -> int:
    environment = os.environ | {"ORCHESTRATOR_CRASH_AT": crash_at, "PYTHONPATH": str(REPOSITORY)}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.messaging.crashing",
        action,
        database.url,
        broker.url,
        env=environment,
    )
    return await asyncio.wait_for(child.wait(), 30)


@pytest.mark.parametrize(
    ("point", "rows", "published"),
    [
        (failpoints.BEFORE_COMMIT, 0, 0),
        (failpoints.BEFORE_PUBLISH, 1, 0),
        (failpoints.BEFORE_MARK, 1, 1),
        ("", 0, 1),
    ],
)
async def test_a_crash_while_saying(
    point: str, rows: int, published: int, outbox_database: Database, pool: asyncpg.Pool, broker: BrokerVhost
) -> None:
    code = await process("say", outbox_database, broker, point)
    assert code == (failpoints.CRASH_EXIT_CODE if point else 0)
    assert await outbox_rows(pool) == rows
    assert await pool.fetchval("SELECT count(*) FROM jobs.effects") == (
        0 if point == failpoints.BEFORE_COMMIT else 1
    )
    async with Broker.open(broker.url, name="test") as connected:
        before = await message_ids(connected, "runner.commands")
        assert len(before) == published
        async with relaying(pool, connected):  # the next process of that service
            await eventually(lambda: emptied(pool))
        after = await message_ids(connected, "runner.commands")
    assert len(set(before + after)) == (0 if point == failpoints.BEFORE_COMMIT else 1), (
        "doubles have the same id"
    )


async def emptied(pool: asyncpg.Pool) -> bool:
    return await outbox_rows(pool) == 0


async def test_a_crash_between_effect_and_acknowledgement(
    outbox_database: Database, pool: asyncpg.Pool, broker: BrokerVhost
) -> None:
    async with Broker.open(broker.url, name="test") as connected:
        await connected.publisher.publish(outgoing_message(run_requested(), source="/test"))
    assert (
        await process("handle", outbox_database, broker, failpoints.BEFORE_ACK) == failpoints.CRASH_EXIT_CODE
    )
    assert await process("handle", outbox_database, broker) == 0
    assert await pool.fetchval("SELECT count(*) FROM jobs.effects") == 1
    async with Broker.open(broker.url, name="test") as connected:
        assert await message_ids(connected, "runner.commands") == []
