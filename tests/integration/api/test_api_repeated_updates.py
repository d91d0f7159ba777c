"""Table updates under an Idempotency-Key: the same request again is one request, for 24 hours."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.api.conftest import Client, RunningApi, said
from tests.integration.api.test_api_tokens import bearer
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_api.wiring import RETENTION_QUERIES

UPDATES: dict[str, Any] = {"updates": [{"table": "in.c-x.a"}, {"table": "in.c-x.b", "id": "mine", "rows": 3}]}
RUN = "orchestrations/daily/runs"


async def publish(client: Client, key: str | None, body: Any = UPDATES, status: int = 202) -> Any:
    return await client.post("table-updates", body, status=status, key=key)


async def test_a_repeated_request_is_answered_as_before_and_published_once(
    furnished: Client, broker: BrokerVhost
) -> None:
    first = await publish(furnished, "k")
    assert [await publish(furnished, "k") for _ in range(2)] == [first, first]
    other = await publish(furnished, "other")
    assert other["ids"][0] != first["ids"][0]
    heard = [each["id"] for each in await said(broker, "trigger-watcher.updates", 4)]
    assert sorted(heard) == sorted([*first["ids"], *other["ids"]])


async def test_requests_at_once_under_one_key_are_one(furnished: Client, broker: BrokerVhost) -> None:
    answers = await asyncio.gather(*(publish(furnished, "k") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    await publish(furnished, None, {"table": "in.c-x.last", "id": "last"})
    heard = [each["id"] for each in await said(broker, "trigger-watcher.updates", 3)]
    assert sorted(heard) == sorted([*answers[0]["ids"], "last"])


@pytest.mark.parametrize(
    "body",
    [
        {"updates": UPDATES["updates"][:1]},
        {"updates": [{"table": "in.c-x.a", "rows": 1}, UPDATES["updates"][1]]},
        {"table": "in.c-x.a"},
    ],
)
async def test_a_key_stands_for_one_request(furnished: Client, database: Database, body: Any) -> None:
    await publish(furnished, "k")
    problem = await publish(furnished, "k", body, status=422)
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert await database.fetchval("SELECT count(*) FROM catalog.keyed_updates") == 1


async def test_a_key_is_not_of_a_run_as_well(furnished: Client, database: Database) -> None:
    await publish(furnished, "updates")
    await furnished.post(RUN, status=422, key="updates")
    await furnished.post(RUN, status=202, key="run")
    await publish(furnished, "run", status=422)
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 1


async def test_a_key_is_its_tokens_own(api: RunningApi, furnished: Client) -> None:
    wish: dict[str, Any] = {"scopes": ["publish"], "buckets": ["*"]}
    async with bearer(api, furnished, **wish) as one, bearer(api, furnished, **wish) as two:
        answers = [await publish(client, "k") for client in (one, two, furnished, one)]
    firsts = [answer["ids"][0] for answer in answers]
    assert (firsts[3], len(set(firsts))) == (firsts[0], 3)


async def test_a_refused_request_leaves_its_key_free(api: RunningApi, furnished: Client) -> None:
    async with bearer(api, furnished, scopes=["publish"], buckets=["in.c-x"]) as loader:
        await publish(loader, "k", {"table": "in.c-other.t"}, status=403)
        await publish(loader, "k", {"table": "nobucket"}, status=422)
        await publish(loader, "k")


async def test_keys_are_forgotten_after_a_day(furnished: Client, database: Database) -> None:
    first = await publish(furnished, "k")
    age = "UPDATE catalog.keyed_updates SET created_at = clock_timestamp() - $1::interval"
    await database.execute(age, timedelta(hours=23, minutes=59))
    await forget(database)
    assert await publish(furnished, "k") == first
    await database.execute(age, timedelta(hours=24, minutes=1))
    await forget(database)
    again = await publish(furnished, "k", {"table": "in.c-x.a"})
    assert again["ids"][0] not in first["ids"]


async def forget(database: Database) -> None:
    await database.execute(RETENTION_QUERIES["forget_keyed_updates"], 10)
