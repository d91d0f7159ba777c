"""The harness itself: clones, virtual hosts and servers that tests share."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import aio_pika
import aiormq
import asyncpg
import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import SERVICES, Database
from tests.support.servers import REPOSITORY
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import port_is_free


async def test_a_database_is_migrated_and_its_roles_have_few_rights(database: Database) -> None:
    assert await database.fetchval("SELECT count(*) FROM orchestrator_migrations.applied") > 0
    for service in SERVICES:
        async with database.connection(service) as connection:
            assert await connection.fetchval("SELECT current_user") == database.role_names[service]
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE public.mine (id int)")


@pytest.mark.parametrize("turn", [1, 2])
async def test_no_database_sees_the_rows_of_another_test(database: Database, turn: int) -> None:
    await database.execute("CREATE TABLE public.only_mine (turn int)")
    assert await database.fetchval("SELECT count(*) FROM public.only_mine") == 0


async def test_an_empty_database_has_no_schema_of_ours(empty_database: Database) -> None:
    found = await empty_database.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname IN ('catalog', 'jobs')"
    )
    assert found == []


async def test_a_virtual_host_carries_messages_and_loses_its_connections(
    broker: BrokerVhost,
) -> None:
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), routing_key="q")
        message = await queue.get(timeout=30)
        assert message.body == b"hello"
        assert "q" in broker.queues()

        assert broker.close_connections() == 1
        await eventually(lambda: broker.connections() == [])


async def test_a_user_may_do_only_what_it_was_granted(broker: BrokerVhost) -> None:
    url = broker.grant("reader", configure="^$", write="^$", read=".*")
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await channel.declare_queue("forbidden", durable=True)


async def test_eventually_tells_the_last_value() -> None:
    began = time.monotonic()
    with pytest.raises(AssertionError, match=r"not within 0.1 s; the last value was \[\]"):
        await eventually(list, timeout=0.1)
    assert time.monotonic() - began < 20


async def test_servers_end_when_the_run_is_killed() -> None:
    """The hardest end: nothing of the run can clean up any more, so the holder of the server does."""
    script = (
        "import os, signal; from tests.support import servers; run = servers.Run.begin();"
        "port = servers.postgres().url.rpartition(':')[2].partition('/')[0];"
        "print(run.folder, port, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TEST_")}
    killed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder, port = killed.stdout.split()
    await eventually(lambda: not Path(folder, "postgres").exists())
    await eventually(lambda: port_is_free(int(port)))
    shutil.rmtree(folder)
