"""PATCH enables and disables an orchestration, a schedule, a trigger, and changes nothing else."""

from collections.abc import AsyncIterator

import aio_pika
import pytest
from tests.integration.api.conftest import Client, RunningApi, said
from tests.integration.api.people import person_with_role
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.contracts.events import ScheduleChanged, TriggerChanged
from orchestrator_shared.contracts.routing import Queue
from orchestrator_shared.messaging.topology import declare

ORCHESTRATION = "orchestrations/daily"
SCHEDULE = f"{ORCHESTRATION}/schedules/mornings"
TRIGGER = f"{ORCHESTRATION}/triggers/loaded"


@pytest.fixture
async def on_call(api: RunningApi, furnished: Client, database: Database) -> AsyncIterator[Client]:
    """A viewer who may run."""
    await furnished.put(SCHEDULE, {"cron": "30 5 * * *", "overlap": "queue"}, status=201)
    await furnished.put(TRIGGER, {"tables": ["in.c-x.t"], "cool_down_seconds": 60}, status=201)
    token = await person_with_role(furnished, database, "on-call@example.com", role="viewer", may_run=True)
    async with api.http(token) as http:
        yield Client(http)


async def switch(client: Client, path: str, enabled: bool, status: int = 200) -> dict[str, object]:
    made = await client.call("PATCH", path, {"enabled": enabled}, status=status)
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("path", [ORCHESTRATION, SCHEDULE, TRIGGER])
async def test_only_the_switch_changes(on_call: Client, database: Database, path: str) -> None:
    before = await on_call.get(path)
    changing = {"enabled", "etag", "version", "updated_at", "next_fire"}
    changing |= {"schedules", "triggers", "errors", "warnings"}
    for enabled in (False, True):
        after = await switch(on_call, path, enabled)
        assert after["enabled"] is enabled
        assert await on_call.get(path) == after
        for name in before.keys() - changing:
            assert after[name] == before[name]
    changes = "SELECT count(*) AS n FROM catalog.audit WHERE actor = 'on-call@example.com'"
    assert (await database.fetch(changes))[0]["n"] == 2
    await switch(on_call, path, True)
    assert (await database.fetch(changes))[0]["n"] == 2, "nothing changed, so nothing is recorded"


async def test_a_switched_orchestration_keeps_its_version(on_call: Client) -> None:
    before = await on_call.get(ORCHESTRATION)
    after = await switch(on_call, ORCHESTRATION, False)
    assert (after["version"], after["phases"]) == (before["version"], before["phases"])
    assert len((await on_call.get(f"{ORCHESTRATION}/versions"))["items"]) == 1


async def test_the_clock_and_the_watcher_hear_of_it(on_call: Client, broker: BrokerVhost) -> None:
    heard = Queue("heard", (ScheduleChanged, TriggerChanged))
    connection = await aio_pika.connect(broker.url, timeout=30)
    async with connection:
        channel = await connection.channel()
        queue = (await declare(channel, heard))[heard.name]
        for path in (SCHEDULE, TRIGGER, ORCHESTRATION):
            await switch(on_call, path, False)
        types = sorted(envelope["type"] for envelope in await said(broker, heard.name, 4))
        await queue.delete(if_empty=False, if_unused=False)
    assert types == [ScheduleChanged.type] * 2 + [TriggerChanged.type] * 2


async def test_what_is_not_there_is_not_switched(on_call: Client) -> None:
    for path in (
        "orchestrations/ghost",
        f"{ORCHESTRATION}/schedules/ghost",
        f"{ORCHESTRATION}/triggers/ghost",
    ):
        await switch(on_call, path, True, status=404)
    await on_call.call("PATCH", SCHEDULE, {"enabled": True, "cron": "* * * * *"}, status=422)
    await on_call.call("PATCH", SCHEDULE, {}, status=422)


async def test_a_trigger_whose_tables_are_no_longer_shared_stays_off(
    on_call: Client, furnished: Client
) -> None:
    await furnished.post("/v1/projects", {"id": "finance"}, status=201)
    finance = Client(furnished.http, "finance")
    await finance.put("buckets/in.c-rates/shares/demo", None, status=204)
    await furnished.put(TRIGGER, {"tables": ["finance/in.c-rates.daily"]})
    await finance.delete("buckets/in.c-rates/shares/demo", status=204)
    refused = await switch(on_call, TRIGGER, True, status=422)
    assert "in.c-rates" in str(refused["detail"])
    await finance.put("buckets/in.c-rates/shares/demo", None, status=204)
    await switch(on_call, TRIGGER, True)
