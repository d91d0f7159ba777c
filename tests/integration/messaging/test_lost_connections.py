"""What happens to messages when the way to the broker breaks, stalls or is closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.integration.messaging.conftest import (
    QUICK,
    QUICK_TUNING,
    consuming,
    message_ids,
    outbox_rows,
    relaying,
)
from tests.integration.messaging.messages import RUNS, run_requested
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import CallbackReceived, RunnersWake
from orchestrator_shared.contracts.routing import RUNNER_FEED
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.connection import Broker, Timeouts
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.outbox import Outbox

ProxyTo = Callable[[str, int], "asyncio.Future[TcpProxy]"]


@asynccontextmanager
async def behind_proxy(broker: BrokerVhost, tcp_proxy: ProxyTo) -> AsyncIterator[tuple[Broker, TcpProxy]]:
    proxy = await tcp_proxy(broker.host, broker.port)
    async with Broker.open(proxy.url(broker.url), name="test", timeouts=QUICK) as opened:
        yield opened, proxy


async def say(outbox: Outbox, count: int) -> None:
    async with outbox.work() as work:
        work.publish(*(run_requested() for _ in range(count)))


async def test_a_message_in_hand_comes_again_after_the_connection_is_lost(
    pool: asyncpg.Pool, connected: Broker, broker: BrokerVhost
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    finished: list[bool] = []

    async def on_run(delivery: Delivery) -> None:
        begun.set()
        await go_on.wait()
        finished.append(delivery.redelivered)

    consumer = Consumer(connected, RUNS, {RunRequested: on_run})
    async with relaying(pool, connected) as outbox, consuming(consumer):
        await say(outbox, 1)
        await asyncio.wait_for(begun.wait(), 30)
        await eventually(broker.close_connections)
        await eventually(lambda: not consumer.consuming)
        go_on.set()
        await eventually(lambda: finished == [False, True])
        await eventually(lambda: consumer.consuming and connected.ready())
    assert await message_ids(connected, "runner.commands") == []


async def test_connections_dropped_while_publishing_lose_nothing(
    pool: asyncpg.Pool, broker: BrokerVhost, tcp_proxy: ProxyTo
) -> None:
    arrived: set[str] = set()

    async def on_run(delivery: Delivery) -> None:
        arrived.add(delivery.envelope.id)

    async with (
        behind_proxy(broker, tcp_proxy) as (connected, proxy),
        relaying(pool, connected) as outbox,
        consuming(Consumer(connected, RUNS, {RunRequested: on_run})),
    ):
        for _ in range(20):
            await say(outbox, 50)
            proxy.drop_connections()
        await eventually(lambda: len(arrived) == 1000, timeout=30)
        await eventually(lambda: no_rows(pool), timeout=30)


async def said(outbox: Outbox, count: int) -> bool:
    try:
        await say(outbox, count)
    except (Unavailable, asyncpg.InternalClientError):
        return False
    return True


async def no_rows(pool: asyncpg.Pool) -> bool:
    return await outbox_rows(pool) == 0


async def test_a_stalled_connection_is_given_up_and_the_message_published_again_under_its_id(
    pool: asyncpg.Pool, broker: BrokerVhost, tcp_proxy: ProxyTo
) -> None:
    async with behind_proxy(broker, tcp_proxy) as (connected, proxy), relaying(pool, connected) as outbox:
        proxy.stall()
        await say(outbox, 3)
        ids = {str(row["id"]) for row in await pool.fetch("SELECT id FROM jobs.outbox")}
        await eventually(lambda: not connected.publishing.connected)
        await proxy.resume()
        await eventually(lambda: no_rows(pool), timeout=30)
        await eventually(lambda: connected.consuming.connected)
        found = await message_ids(connected, "runner.commands")
    assert len(ids) == 3
    assert set(found) == ids


async def test_the_backlog_of_an_outage_is_published_in_batches(
    pool: asyncpg.Pool, broker: BrokerVhost, tcp_proxy: ProxyTo
) -> None:
    async with behind_proxy(broker, tcp_proxy) as (connected, proxy), relaying(pool, connected) as outbox:
        proxy.cut()
        await eventually(lambda: not connected.ready())
        for _ in range(6):
            await say(outbox, 100)
        await eventually(lambda: outbox.flush(0.1))  # nothing is kept in memory for a broker that is away
        assert await outbox_rows(pool) == 600
        await proxy.resume()
        await eventually(lambda: no_rows(pool), timeout=30)
        await eventually(lambda: connected.consuming.connected)
        assert len(set(await message_ids(connected, "runner.commands"))) == 600


async def test_the_relay_survives_the_loss_of_its_database_connections(
    pool: asyncpg.Pool, connected: Broker, outbox_database: Database
) -> None:
    async with relaying(pool, connected) as outbox:
        for _ in range(5):
            await eventually(lambda: said(outbox, 20))
            await outbox_database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        left = "SELECT count(*) FROM jobs.outbox"
        await eventually(lambda: counted(outbox_database, left, 0), timeout=30)


async def counted(database: Database, query: str, expected: int) -> bool:
    return bool(await database.fetchval(query) == expected)


async def test_an_unreachable_broker_is_named_without_its_password(
    broker: BrokerVhost, tcp_proxy: ProxyTo
) -> None:
    proxy = await tcp_proxy(broker.host, broker.port)
    proxy.cut()
    url = proxy.url(broker.url)
    with pytest.raises(Unavailable, match=f"127.0.0.1:{proxy.port}.*ORCHESTRATOR_AMQP_URL") as caught:
        async with Broker.open(url, name="test", timeouts=Timeouts(connect=1, start=1)):
            pass
    assert (urlsplit(url).password or "?") not in str(caught.value)


async def test_a_deleted_queue_is_made_again(
    pool: asyncpg.Pool, connected: Broker, broker: BrokerVhost
) -> None:
    heard: list[Delivery] = []

    async def on_run(delivery: Delivery) -> None:
        heard.append(delivery)

    consumer = Consumer(connected, RUNS, {RunRequested: on_run})
    async with relaying(pool, connected) as outbox, consuming(consumer):
        await eventually(lambda: consumer.consuming)
        channel = await connected.publishing.channel()
        await channel.queue_delete("runner.commands")
        await say(outbox, 2)
        await eventually(lambda: len(heard) == 2)


async def test_what_no_queue_takes_is_kept_and_tried_again(
    pool: asyncpg.Pool, connected: Broker, broker: BrokerVhost
) -> None:
    channel = await connected.publishing.channel()
    await channel.queue_delete("runner.commands")
    async with relaying(pool, connected) as outbox:
        await say(outbox, 2)
        postponed = "SELECT count(*) FROM jobs.outbox WHERE claimed_until > clock_timestamp()"
        await eventually(lambda: pool.fetchval(postponed))
        assert await outbox_rows(pool) == 2
        broker.close_connections()  # reconnecting declares what is missing
        await eventually(lambda: no_rows(pool), timeout=30)
        await eventually(lambda: connected.ready())
        assert len(await message_ids(connected, "runner.commands")) == 2


async def test_a_message_for_an_exchange_that_is_not_there_holds_up_no_other(
    pool: asyncpg.Pool, connected: Broker, broker: BrokerVhost
) -> None:
    await pool.execute(
        "INSERT INTO jobs.outbox (id, exchange, routing_key, body, created_at)"
        " VALUES (gen_random_uuid(), 'nowhere', 'key', '{}', clock_timestamp() - interval '1 hour')"
    )
    await pool.execute(
        "INSERT INTO jobs.outbox (id, exchange, routing_key, mandatory, body, created_at)"
        " SELECT gen_random_uuid(), 'orchestrator.commands', 'run.requested', true, '{}',"
        " clock_timestamp() - interval '1 minute' FROM generate_series(1, 20)"
    )
    async with relaying(pool, connected) as outbox:
        await say(outbox, 5)
        await eventually(lambda: only_row_is(pool, "nowhere"))
    assert QUICK_TUNING.batch > 21


async def only_row_is(pool: asyncpg.Pool, exchange: str) -> bool:
    return [row["exchange"] for row in await pool.fetch("SELECT exchange FROM jobs.outbox")] == [exchange]


async def test_a_user_who_may_not_configure_uses_what_is_there(
    pool: asyncpg.Pool, broker: BrokerVhost
) -> None:
    async with Broker.open(broker.url, name="administrator", timeouts=QUICK):
        pass
    url = broker.grant(f"runner-{broker.vhost}", configure="^amq\\.gen.*", write=".*", read=".*")
    heard: list[str] = []

    async def on_message(delivery: Delivery) -> None:
        heard.append(delivery.envelope.type)

    async with Broker.open(url, name="runner", timeouts=QUICK) as connected:
        commands = Consumer(connected, RUNS, {RunRequested: on_message})
        feed = Consumer(connected, RUNNER_FEED, {RunnersWake: on_message, CallbackReceived: on_message})
        async with relaying(pool, connected) as outbox, consuming(commands), consuming(feed):
            await eventually(lambda: feed.consuming)
            await say(outbox, 1)
            outbox.hint(RunnersWake(ready=1))
            await eventually(lambda: set(heard) == {RunRequested.type, RunnersWake.type})
