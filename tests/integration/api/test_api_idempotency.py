"""Issue 8, 4: job ids are assigned by our services; callers repeat a request with its Idempotency-Key."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_backfills import PERIOD, schedule
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database
from tests.support.waiting import eventually

from orchestrator_shared.domain.ids import ScheduleId, TriggerId, fire_job_id, trigger_job_id

RUN = "orchestrations/daily/runs"
ONE = "configurations/demo-extractor/one/runs"


async def count(database: Database) -> int:
    return int(await database.fetchval("SELECT count(*) FROM catalog.run_requests"))


async def test_4_the_id_of_a_fire_cannot_be_taken(furnished: Client, database: Database) -> None:
    """Whoever knew the schedule could use its fire's id first, and the fire was lost."""
    fire = fire_job_id(ScheduleId(UUID(await schedule(furnished))), "2026-11-30T05:30")
    known = await Runner(database).job("one", 1, "waiting")
    bodies = ({"job_id": str(fire)}, {"job_id": str(known)})
    answers = [await furnished.post(path, body, status=422) for body in bodies for path in (RUN, ONE)]
    # Taken or not, there or not, of this project or another: the answer is the same.
    assert len({str(answer) for answer in answers}) == 1
    assert "Idempotency-Key" in answers[0]["detail"]
    assert await count(database) == 0


async def test_4_no_key_leads_to_the_id_of_a_fire(furnished: Client) -> None:
    schedule_id = UUID(await schedule(furnished))
    fire, fired = "fire:2026-11-30T05:30", trigger_job_id(TriggerId(schedule_id), 1)
    for key in (fire, "generation:1", str(uuid5(schedule_id, fire))):
        made = UUID((await furnished.post(RUN, key=key))["job_id"])
        assert made not in (uuid5(schedule_id, fire), fired)


async def test_4_a_key_is_its_tokens_own(api: RunningApi, furnished: Client, database: Database) -> None:
    async with bearer(api, furnished, scopes=["run"]) as one, bearer(api, furnished, scopes=["run"]) as two:
        answers = [await client.post(RUN, status=202, key="k") for client in (one, two, furnished, one)]
    ids = [answer["job_id"] for answer in answers]
    assert (ids[3], len(set(ids))) == (ids[0], 3)
    assert await count(database) == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RUN, {"tasks": ["demo-extractor/two"]}),
        (RUN, {"parameters": {"demo-extractor/one": {"#password": "b"}}}),
        (RUN, {"scheduled_for": "2026-01-01T00:00:00Z"}),
        (RUN, {"confirm": True}),
        (ONE, {"parameters": {"demo-extractor/one": {"#password": "a"}}}),
    ],
)
async def test_4_a_key_stands_for_one_request(
    furnished: Client, database: Database, path: str, body: Any
) -> None:
    first = {"parameters": {"demo-extractor/one": {"#password": "a"}}}
    accepted = await furnished.post(RUN, first, status=202, key="k")
    problem = await furnished.post(path, body, status=422, key="k")
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert (await furnished.post(RUN, first, status=202, key="k"))["job_id"] == accepted["job_id"]
    assert await count(database) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", b"\xc3\xa9".decode("latin-1")])
async def test_4_keys_are_short_and_printable(furnished: Client, database: Database, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    response = await furnished.http.post(f"/v1/projects/demo/{RUN}", json={}, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert await count(database) == 0
    await furnished.post(RUN, status=202, key="~ " * 99 + "!!")


async def test_4_a_repeated_backfill_is_answered_as_before(furnished: Client, database: Database) -> None:
    await schedule(furnished)
    body = {"orchestration": "daily", "schedule": "mornings", **PERIOD}
    first = await furnished.post("backfills", body, status=202, key="k")
    assert first["requested"] == 3
    assert await furnished.post("backfills", body, status=202, key="k") == first
    assert (await furnished.post("backfills", body, status=202, key="other"))["requested"] == 0
    shorter = {**body, "to": "2026-01-07T00:00:00Z"}
    await furnished.post("backfills", shorter, status=422, key="k")
    await furnished.post(RUN, status=422, key="k")
    assert await count(database) == 3


BLOCKED = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def at_once(client: Client, database: Database, key: str, *bodies: Any) -> list[Any]:
    """Backfills that are all in progress before any of them has stored its requests."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE catalog.run_requests IN SHARE MODE")  # may be read
        sent = [
            asyncio.create_task(
                client.http.post("/v1/projects/demo/backfills", json=body, headers={"Idempotency-Key": key})
            )
            for body in bodies
        ]

        async def all_wait() -> bool:
            return bool(await database.fetchval(BLOCKED) == len(bodies))

        await eventually(all_wait)
    return list(await asyncio.gather(*sent))


async def test_4_backfills_at_once_under_one_key_are_one(furnished: Client, database: Database) -> None:
    """Two different requests were both accepted, and one of two equal ones reported no runs."""
    await schedule(furnished)
    body = {"orchestration": "daily", "schedule": "mornings", **PERIOD}
    first, second = [answer.json() for answer in await at_once(furnished, database, "k", body, body)]
    assert (first, first["requested"]) == (second, 3)
    days = [
        {**body, "from": f"2026-02-0{day}T00:00:00Z", "to": f"2026-02-0{day + 1}T00:00:00Z"} for day in (1, 5)
    ]
    answers = await at_once(furnished, database, "other", *days)
    assert sorted(answer.status_code for answer in answers) == [202, 422]
    assert await count(database) == 4


async def test_an_automation_under_a_key_makes_one_orchestration(
    furnished: Client, api: RunningApi, database: Database
) -> None:
    path, key = "configurations/demo-extractor/one/automation", {"Idempotency-Key": "once"}
    asked = [furnished.post(path, {"name": "Nightly"}, status=201, headers=key) for _ in range(3)]
    made = await asyncio.gather(*asked)
    assert len({each["id"] for each in made}) == 1
    names = await database.fetch("SELECT id FROM catalog.configurations WHERE name = 'Nightly'")
    assert len(names) == 1
    refused = await furnished.post(path, {"name": "Weekly"}, status=422, headers=key)
    assert "already used for a different request" in str(refused)


async def test_a_token_under_a_key_is_made_once(furnished: Client, database: Database) -> None:
    body, key = {"name": "loader", "scopes": ["read"]}, {"Idempotency-Key": "once"}
    made = await furnished.post("tokens", body, status=201, headers=key)
    again = await furnished.post("tokens", body, status=409, headers=key)
    assert made["id"] in again["detail"]
    assert made["token"] not in str(again)
    assert await database.fetchval("SELECT count(*) FROM catalog.tokens WHERE name = 'loader'") == 1
    await furnished.post("tokens", {**body, "name": "other"}, status=422, headers=key)
