"""An apply carries out the plan that its caller has seen, and overwrites nobody's change."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.support.databases import Database

ORCHESTRATION = {
    "orchestration": "daily",
    "phases": [{"name": "Load", "tasks": [{"run": "demo-extractor/one"}]}],
    "schedules": {"s": {"cron": "30 5 * * *"}},
    "triggers": {"t": {"tables": ["in.c-x.a"]}},
    "notify": {"a@example.com": ["error"]},
}
DOCUMENTS: list[dict[str, Any]] = [
    {"variables": {"region": "eu"}},
    {"configuration": "demo-extractor/one", "parameters": {"rows": 5}},
    ORCHESTRATION,
]
OTHER_STATES: dict[str, dict[str, Any]] = {
    "variables/region": {"value": "us"},
    "configurations/demo-extractor/one": {"parameters": {"rows": 7}},
    "orchestrations/daily": {"phases": [], "name": "Other"},
    "orchestrations/daily/schedules/s": {"cron": "31 5 * * *"},
    "orchestrations/daily/schedules/another": {"cron": "31 5 * * *"},
    "orchestrations/daily/triggers/t": {"tables": ["in.c-x.b"]},
    "orchestrations/daily/notifications": {"subscriptions": [{"event": "error", "address": "b@example.com"}]},
}
UNCONDITIONAL: dict[str, str] = {}
"""Headers that keep the client of the tests from overwriting whatever is there."""


async def plan(client: Client, documents: list[dict[str, Any]]) -> str:
    planned = await client.post("definitions/plan", {"documents": documents}, status=200)
    return str(planned["plan_id"])


async def apply(client: Client, plan_id: str | None, status: int, documents: Any = None) -> dict[str, Any]:
    body = {"documents": documents or DOCUMENTS, **({"plan_id": plan_id} if plan_id else {})}
    found = await client.post("definitions/apply", body, status=status, headers=UNCONDITIONAL)
    assert isinstance(found, dict)
    return found


@pytest.fixture
async def other(api: RunningApi, furnished: Client) -> AsyncIterator[Client]:
    """Someone else who may configure everything."""
    wish = {"name": "other", "scopes": ["configure"], "components": ["*"]}
    token = (await furnished.post("tokens", wish))["token"]
    async with api.http(token) as http:
        yield Client(http)


async def everything(client: Client) -> Any:
    return await client.get("definitions")


async def test_a_plan_is_carried_out_once_and_then_changes_nothing(furnished: Client) -> None:
    planned = await plan(furnished, DOCUMENTS)
    assert await plan(furnished, DOCUMENTS) == planned
    applied = await apply(furnished, planned, 200)
    assert applied["plan_id"] == planned
    for again in (planned, None, "*"):
        repeated = await apply(furnished, again, 200)
        assert {each["action"] for each in repeated["changes"]} == {"unchanged"}


@pytest.mark.parametrize("path", OTHER_STATES)
@pytest.mark.parametrize("rows", [5, 6], ids=["unchanged", "changed"])
async def test_a_change_since_the_plan_is_not_overwritten(
    furnished: Client, other: Client, path: str, rows: int
) -> None:
    """Neither of what the plan would change, nor of what it said would stay as it is."""
    await furnished.post("definitions/apply", {"documents": DOCUMENTS})
    configuration = {"configuration": "demo-extractor/one", "parameters": {"rows": rows}}
    documents = [DOCUMENTS[0], configuration, ORCHESTRATION]
    planned = await plan(furnished, documents)
    await furnished.put(path, OTHER_STATES[path])
    before = await everything(furnished)
    refused = await apply(other, planned, 412, documents)
    assert refused["change"]["by"] == "admin@example.com"
    assert refused["change"]["at"] in refused["detail"]
    assert "make a new plan" in refused["detail"]
    assert await everything(furnished) == before
    await apply(furnished, await plan(furnished, documents), 200, documents)


async def test_changes_of_other_things_do_not_matter(furnished: Client) -> None:
    planned = await plan(furnished, DOCUMENTS)
    await furnished.put("variables/other", {"value": "1"})
    await furnished.put("configurations/demo-extractor/two", {"parameters": {"rows": 9}})
    await furnished.put("orchestrations/another", {"phases": []})
    await apply(furnished, planned, 200)


async def test_without_a_plan_nothing_that_exists_is_changed(furnished: Client) -> None:
    refused = await apply(furnished, None, 428)
    assert refused["errors"][0]["field"] == "plan_id"
    await apply(furnished, None, 200, DOCUMENTS[:1])  # it only creates
    await apply(furnished, "*", 200)
    await apply(furnished, "unknown", 412, [{"variables": {"region": "us"}}])
    mistake = [{"configuration": "ghost/one", "parameters": {}}, *DOCUMENTS]
    await apply(furnished, "unknown", 422, mistake)


async def test_a_wrong_plan_does_not_confirm_a_guessed_secret(furnished: Client, api: RunningApi) -> None:
    """Whoever may not save the variable gets the same answer for a right and for a wrong guess."""
    await furnished.put("variables/key", {"value": "right", "secret": True})
    secret = {"parameters": {"rows": 1, "#password": "{{ vars.key }}"}}
    await furnished.put("configurations/demo-extractor/one", secret)
    token = (await furnished.post("tokens", {"name": "lesser", "scopes": ["configure"]}))["token"]
    async with api.http(token) as http:
        lesser = Client(http)
        for given in (None, "unknown", "*"):
            answers = [
                await apply(lesser, given, 403, [{"variables": {"#key": guess}}])
                for guess in ("right", "wrong")
            ]
            assert answers[0] == answers[1]


CONCURRENT = {
    "variable": ["UPDATE catalog.variables SET value = 'x', updated_at = clock_timestamp()"],
    "configuration": [
        "UPDATE catalog.configurations SET description = 'x' WHERE component <> 'orchestrator'"
    ],
    "orchestration": ["UPDATE catalog.configurations SET description = 'x' WHERE component = 'orchestrator'"],
    "schedule": [
        "SELECT FROM catalog.configurations WHERE component = 'orchestrator' FOR UPDATE",
        "UPDATE catalog.schedules SET cron = '0 0 * * *', version = version + 1",
    ],
    "trigger": [
        "SELECT FROM catalog.configurations WHERE component = 'orchestrator' FOR UPDATE",
        "UPDATE catalog.triggers SET cool_down_seconds = 7, version = version + 1",
    ],
}


@pytest.mark.parametrize("kind", CONCURRENT)
async def test_a_change_while_it_runs_is_not_overwritten(
    furnished: Client, database: Database, kind: str
) -> None:
    """Someone else has locked and changed the thing after the apply read it, and before it saves it."""
    await furnished.post("definitions/apply", {"documents": DOCUMENTS})
    documents: dict[str, list[dict[str, Any]]] = {
        "variable": [{"variables": {"region": "us"}}],
        "configuration": [{"configuration": "demo-extractor/one", "parameters": {"rows": 6}}],
        "orchestration": [{**ORCHESTRATION, "name": "New"}],
        "schedule": [{**ORCHESTRATION, "schedules": {"s": {"cron": "1 1 * * *"}}}],
        "trigger": [{**ORCHESTRATION, "triggers": {"t": {"tables": ["in.c-x.c"]}}}],
    }
    changed = documents[kind]
    planned = await plan(furnished, changed)
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        for statement in CONCURRENT[kind]:
            await connection.execute(statement)
        applying = asyncio.create_task(apply(furnished, planned, 412, changed))
        await one_waits(database)
        await transaction.commit()
    detail = (await applying)["detail"]
    assert detail.startswith(f"{kind} ")
    assert "after you read it" in detail


async def one_waits(database: Database) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(60):
        while await database.fetchval(waiting) < 1:
            await asyncio.sleep(0.01)
