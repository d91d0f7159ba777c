"""The service as processes on a real broker and database: killed at every point, and doubled."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import pytest
from tests.integration.scheduler.stage import add_schedule, fires, next_at, set_up
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.contracts.events import ScheduleChanged
from orchestrator_shared.contracts.routing import QUEUES
from orchestrator_shared.messaging.outbox import outgoing_message
from orchestrator_shared.messaging.topology import declare
from orchestrator_shared.runtime import failpoints

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]


@pytest.fixture
async def channel(broker: BrokerVhost) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    connection = await aio_pika.connect(broker.url)
    async with connection:
        channel = await connection.channel()
        await declare(channel, *(queue for queue in QUEUES if not queue.feed))
        yield channel


@pytest.fixture
async def env(database: Database, broker: BrokerVhost) -> dict[str, str]:
    await set_up(database)
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("scheduler"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_SCAN_SECONDS": "1",
        "ORCHESTRATOR_POLL_SECONDS": "0.2",
    }


async def requested(channel: aio_pika.abc.AbstractChannel) -> list[UUID]:
    found = []
    queue = await channel.get_queue("runner.commands")
    while (message := await queue.get(fail=False, no_ack=True)) is not None:
        found.append(UUID(json.loads(message.body)["data"]["job_id"]))
    return found


@pytest.mark.parametrize(
    "point", [failpoints.BEFORE_COMMIT, failpoints.BEFORE_PUBLISH, failpoints.BEFORE_MARK]
)
async def test_a_crash_at_any_point_fires_exactly_once(
    database: Database,
    channel: aio_pika.abc.AbstractChannel,
    env: dict[str, str],
    service_process: Launch,
    point: str,
) -> None:
    schedule_id = await add_schedule(database)
    first = service_process("orchestrator_scheduler", {**env, "ORCHESTRATOR_CRASH_AT": point})
    assert await first.ended() == failpoints.CRASH_EXIT_CODE
    second = service_process("orchestrator_scheduler", env)
    jobs: set[UUID] = set()

    async def run_requested() -> bool:
        jobs.update(await requested(channel))
        return bool(jobs)

    await eventually(run_requested, timeout=30)
    (fire,) = await database.fetch("SELECT job_id FROM scheduler.fires WHERE schedule_id = $1", schedule_id)
    assert jobs == {fire["job_id"]}
    await second.ready()
    second.terminate()
    assert await second.ended() == 0


async def test_two_replicas_fire_many_schedules_once_each_while_one_is_killed(
    database: Database,
    channel: aio_pika.abc.AbstractChannel,
    env: dict[str, str],
    service_process: Launch,
) -> None:
    services = [
        service_process("orchestrator_scheduler", {**env, "ORCHESTRATOR_FIRE_BATCH_SIZE": "3"})
        for _ in range(2)
    ]
    await asyncio.gather(*(service.ready() for service in services))
    for _ in range(40):
        # Due a second from now, when both know of them.
        await add_schedule(database, saved_ago=timedelta(seconds=57))
    jobs: list[UUID] = []

    async def some() -> bool:
        return bool(await database.fetchval("SELECT count(*) > 5 FROM scheduler.fires"))

    await eventually(some, timeout=30)
    services[0].kill()

    async def all_requested() -> bool:
        jobs.extend(await requested(channel))
        return len(set(jobs)) == 40

    await eventually(all_requested, timeout=30)
    assert await database.fetchval("SELECT count(*) FROM scheduler.fires") == 40
    lateness = await database.fetchval("SELECT max(at - scheduled_for) FROM scheduler.fires")
    assert lateness < timedelta(seconds=10)


async def test_a_hint_makes_a_schedule_known_at_once(
    database: Database,
    channel: aio_pika.abc.AbstractChannel,
    env: dict[str, str],
    service_process: Launch,
) -> None:
    service = service_process("orchestrator_scheduler", {**env, "ORCHESTRATOR_SCAN_SECONDS": "3600"})
    await service.ready()
    schedule_id = await add_schedule(database, saved_ago=timedelta(0))
    hint = outgoing_message(ScheduleChanged(schedule_id=schedule_id, project="demo"), source="/api")
    exchange = await channel.get_exchange(hint.exchange)
    await exchange.publish(aio_pika.Message(hint.body), hint.routing_key)

    async def known() -> bool:
        return await next_at(database, schedule_id) is not None

    await eventually(known)
    assert await fires(database, schedule_id) == []


async def test_a_fire_during_a_database_outage_follows_it(
    database: Database,
    channel: aio_pika.abc.AbstractChannel,
    env: dict[str, str],
    service_process: Launch,
    tcp_proxy: Callable[[str, int], Awaitable[TcpProxy]],
) -> None:
    address = urlsplit(database.url)
    proxy = await tcp_proxy(address.hostname or "", address.port or 0)
    by_proxy = {"ORCHESTRATOR_DATABASE_URL": proxy.url(env["ORCHESTRATOR_DATABASE_URL"])}
    service = service_process("orchestrator_scheduler", {**env, **by_proxy})
    await service.ready()
    proxy.cut()
    await add_schedule(database)
    await eventually(lambda: '"what": "fire"' in service.log.read_text(), timeout=30)
    await proxy.resume()

    async def run_requested() -> bool:
        return bool(await requested(channel))

    await eventually(run_requested, timeout=30)
    await service.ready()
