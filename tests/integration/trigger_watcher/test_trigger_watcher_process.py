"""The service as processes on a real broker and database: killed at every point, doubled, fed nonsense."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import pytest
from tests.integration.trigger_watcher.stage import Stage, table
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.contracts.events import ReadinessChanged, TriggerChanged
from orchestrator_shared.contracts.message import DEAD_LETTERS, EVENTS, TABLE_UPDATES, Message
from orchestrator_shared.contracts.routing import QUEUES
from orchestrator_shared.domain.ids import trigger_job_id
from orchestrator_shared.messaging.outbox import outgoing_message
from orchestrator_shared.messaging.topology import declare
from orchestrator_shared.runtime import failpoints
from orchestrator_trigger_watcher.wiring import Watcher

ORDERS, RATES = table("in.c-crm.orders"), table("sales/in.c-rates.daily")
Launch = Callable[[str, Mapping[str, str]], ServiceProcess]


class Wire:
    """A producer of table updates, and a reader of what was requested."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self.channel = channel

    async def publish(self, exchange: str, key: str, body: bytes) -> None:
        to = await self.channel.get_exchange(exchange)
        await to.publish(aio_pika.Message(body, delivery_mode=2), key)

    async def update(
        self, event_id: str, key: str = "table.updated.demo.in.c-crm.orders", **data: object
    ) -> None:
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/loaders/erp",
            "type": "orchestrator.table.updated.v1",
            "data": {"project": "demo", "table": "in.c-crm.orders", **data},
        }
        await self.publish(TABLE_UPDATES, key, json.dumps(event).encode())

    async def say(self, message: Message) -> None:
        body = outgoing_message(message, source="/api").body
        await self.publish(EVENTS, message.routing_key(), body)

    async def take(self, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
        found = []
        source = await self.channel.get_queue(queue)
        while (message := await source.get(fail=False, no_ack=True)) is not None:
            found.append(message)
        return found

    async def requested(self) -> list[UUID]:
        return [UUID(json.loads(m.body)["data"]["job_id"]) for m in await self.take("runner.commands")]


@pytest.fixture
async def wire(broker: BrokerVhost) -> AsyncIterator[Wire]:
    connection = await aio_pika.connect(broker.url)
    async with connection:
        channel = await connection.channel()
        await declare(channel, *(queue for queue in QUEUES if not queue.feed))
        yield Wire(channel)


@pytest.fixture
def env(database: Database, broker: BrokerVhost) -> dict[str, str]:
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("trigger_watcher"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_SCAN_SECONDS": "1",
    }


@pytest.mark.parametrize(
    "point",
    [failpoints.BEFORE_COMMIT, failpoints.BEFORE_PUBLISH, failpoints.BEFORE_MARK, failpoints.BEFORE_ACK],
)
async def test_a_crash_at_any_point_loses_and_doubles_nothing(
    stage: Stage,
    watcher: Watcher,
    wire: Wire,
    env: dict[str, str],
    service_process: Launch,
    point: str,
) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await watcher.reconciliation.sync(
        trigger_id
    )  # so that the first thing that the service does is to hear the update
    first = service_process("orchestrator_trigger_watcher", {**env, "ORCHESTRATOR_CRASH_AT": point})
    await wire.update("1")
    assert await first.ended() == failpoints.CRASH_EXIT_CODE
    second = service_process("orchestrator_trigger_watcher", env)
    await wire.update("2")

    async def all_disposed() -> bool:
        return len(await stage.dispositions(trigger_id)) == 2

    await eventually(all_disposed, timeout=30)
    requested: set[UUID] = set()

    async def run_requested() -> bool:
        requested.update(await wire.requested())
        return bool(requested)

    await eventually(run_requested, timeout=30)
    assert requested == {trigger_job_id(trigger_id, 1)}
    assert [item[2] for item in await stage.dispositions(trigger_id)] == [
        "completed",
        "belongs_to_waiting_run",
    ]
    await second.ready()
    second.terminate()
    assert await second.ended() == 0


async def test_two_replicas_judge_every_update_once(
    stage: Stage, wire: Wire, env: dict[str, str], service_process: Launch
) -> None:
    trigger_id = await stage.trigger([ORDERS])
    services = [service_process("orchestrator_trigger_watcher", env) for _ in range(2)]
    await asyncio.gather(*(service.ready() for service in services))
    for number in range(300):
        await wire.update(str(number % 200))
        if number == 100:
            services[0].kill()

    async def all_judged() -> bool:
        return len(await stage.dispositions(trigger_id)) == 200

    await eventually(all_judged, timeout=30)
    assert [seq for _, seq, _ in await stage.dispositions(trigger_id)] == list(range(1, 201))

    async def all_delivered() -> bool:
        return int(await stage.pool.fetchval("SELECT sum(deliveries) FROM triggers.updates")) >= 300

    await eventually(all_delivered, timeout=30)


async def test_live_pages_are_told_of_tables_and_of_the_triggers_that_they_concern(
    stage: Stage, wire: Wire, watcher: Watcher, env: dict[str, str], service_process: Launch
) -> None:
    """Each project of its own: a trigger hears of a shared table, the table's owner of the table only."""
    trigger_id = await stage.trigger([ORDERS, RATES])
    await watcher.reconciliation.sync(trigger_id)
    queue = await wire.channel.declare_queue("pages", exclusive=True)
    await queue.bind(EVENTS, ReadinessChanged.key)
    service = service_process("orchestrator_trigger_watcher", env)
    await service.ready()
    told: list[tuple[str, list[str], dict[str, str]]] = []

    async def tells(expected: tuple[str, list[str], dict[str, str]]) -> bool:
        data = [json.loads(message.body)["data"] for message in await wire.take("pages")]
        told.extend((each["project"], each["tables"], each["triggers"]) for each in data)
        return expected in told

    campaigns = {str(trigger_id): "campaigns"}
    key = "table.updated.sales.in.c-rates.daily"
    await wire.update("1", key, project="sales", table="in.c-rates.daily")
    await eventually(lambda: tells(("demo", [], campaigns)), timeout=30)
    await eventually(lambda: tells(("sales", ["in.c-rates.daily"], {})), timeout=30)
    assert len(told) == 2
    await wire.update("1", key, project="sales", table="in.c-rates.daily")  # known: tells nothing
    await wire.update("2")
    await eventually(lambda: tells(("demo", ["in.c-crm.orders"], campaigns)), timeout=30)
    assert len(told) == 3
    await stage.pool.execute("UPDATE catalog.triggers SET reset_count = reset_count + 1")
    told.clear()
    await wire.say(TriggerChanged(trigger_id=trigger_id, project="demo"))
    await eventually(lambda: tells(("demo", [], campaigns)), timeout=30)


async def test_a_saved_trigger_is_known_at_the_hint_and_by_the_scan(
    stage: Stage, wire: Wire, env: dict[str, str], service_process: Launch
) -> None:
    service = service_process("orchestrator_trigger_watcher", {**env, "ORCHESTRATOR_SCAN_SECONDS": "3600"})
    await service.ready()
    trigger_id = await stage.trigger([ORDERS])
    await wire.say(TriggerChanged(trigger_id=trigger_id, project="demo"))

    async def known() -> bool:
        return bool(await stage.pool.fetchval("SELECT count(*) FROM triggers.states WHERE version = 1"))

    await eventually(known)


async def test_nonsense_is_dead_lettered_with_the_reason_and_the_rest_goes_on(
    stage: Stage, wire: Wire, env: dict[str, str], service_process: Launch
) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await wire.publish(TABLE_UPDATES, "table.updated.demo.in.c-crm.orders", b"no json")
    await wire.update("other key", key="table.updated.demo.in.c-crm.rates")
    await wire.update("nowhere", key="table.updated.nowhere.in.c-crm.orders", project="nowhere")
    await wire.update("bad\u0007id")
    await wire.update("too many", rows=2**70)
    await wire.update("good")
    service = service_process("orchestrator_trigger_watcher", env)
    await service.ready()

    async def judged() -> bool:
        return len(await stage.dispositions(trigger_id)) == 1

    await eventually(judged, timeout=30)
    dead: list[str] = []

    async def five_dead() -> bool:
        dead.extend(str(m.headers) for m in await wire.take(DEAD_LETTERS))
        return len(dead) == 5

    await eventually(five_dead, timeout=30)
    for reason in ("not a CloudEvent", "routing key", "no project 'nowhere'", "control characters", "rows"):
        assert any(reason in headers for headers in dead), (reason, dead)


async def test_while_the_database_is_away_nothing_is_dead_lettered_and_the_service_lives(
    stage: Stage,
    database: Database,
    wire: Wire,
    env: dict[str, str],
    service_process: Launch,
    tcp_proxy: Callable[[str, int], Awaitable[TcpProxy]],
) -> None:
    trigger_id = await stage.trigger([ORDERS])
    address = urlsplit(database.url)
    proxy = await tcp_proxy(address.hostname or "", address.port or 0)
    by_proxy = {"ORCHESTRATOR_DATABASE_URL": proxy.url(env["ORCHESTRATOR_DATABASE_URL"])}
    service = service_process("orchestrator_trigger_watcher", {**env, **by_proxy})
    await service.ready()
    await wire.update("1")

    async def judged() -> int:
        return len(await stage.dispositions(trigger_id))

    await eventually(judged, timeout=30)
    proxy.cut()
    for number in range(2, 30):
        await wire.update(str(number))

    def noticed() -> bool:
        text = service.log.read_text()
        return "outage.waiting" in text and "handler.failed" in text

    await eventually(noticed, timeout=30)
    await proxy.resume()

    async def all_judged() -> bool:
        return await judged() == 29

    await eventually(all_judged, timeout=30)
    await service.ready()
    assert await wire.take(DEAD_LETTERS) == []
