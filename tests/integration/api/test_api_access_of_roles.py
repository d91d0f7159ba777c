"""Every call as every role, held against the table of docs/reference/roles.md.

A new call without a row there fails.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest
from tests.integration.api.conftest import ADMIN_TOKEN, Client, RunningApi
from tests.integration.api.people import person_with_role
from tests.integration.api.test_api_access_table import GHOST, OPEN, calls, send
from tests.support import documentation as docs
from tests.support.databases import Database

PAGE = docs.REFERENCE / "roles.md"
ROLES: Mapping[str, dict[str, object]] = {
    "viewer": {"role": "viewer"},
    "viewer who may run": {"role": "viewer", "may_run": True},
    "editor": {"role": "editor"},
    "admin": {"role": "admin"},
}
COLUMNS = [*ROLES, "instance administrator"]


def told() -> dict[str, dict[str, str]]:
    """The page's table: by operation and role."""
    rows = docs.table_rows(PAGE, columns=1 + len(COLUMNS))
    return {name: dict(zip(COLUMNS, cells, strict=True)) for name, *cells in rows}


def test_every_call_has_a_row() -> None:
    assert f"| call | {' | '.join(COLUMNS)} |" in PAGE.read_text(encoding="utf-8")
    table = told()
    assert sorted([*table, *OPEN]) == sorted(call.name for call in calls())
    assert {cell for row in table.values() for cell in row.values()} == {"yes", "no"}


@pytest.fixture
async def places(furnished: Client) -> dict[str, str]:
    """What the requests are about."""
    schedule = await furnished.put(
        "orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201
    )
    trigger = await furnished.put(
        "orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201
    )
    await furnished.put("variables/limit", {"value": "1"}, status=201)
    await furnished.post("/v1/projects", {"id": "other"}, status=201)
    run = (await furnished.post("orchestrations/daily/runs"))["job_id"]
    return {
        "project": "demo", "orchestration": "daily", "component": "demo-extractor", "configuration": "one",
        "schedule": "mornings", "schedule_id": schedule["id"], "trigger": "loaded",
        "trigger_id": trigger["id"], "bucket": "in.c-x", "table": "in.c-x.t",
        "shared_with": "other", "name": "limit",
        "token": GHOST, "person": GHOST, "session": GHOST, "link": "ghost", "letter": "ghost", "job": run,
        "version": "1", "other": "1",
    }  # fmt: skip


@pytest.fixture
async def people(
    api: RunningApi, furnished: Client, database: Database
) -> AsyncIterator[Mapping[str, Client]]:
    async with AsyncExitStack() as stack:
        clients = {}
        for name, role in ROLES.items():
            token = await person_with_role(
                furnished, database, f"{name.replace(' ', '-')}@demo.example", **role
            )
            clients[name] = Client(await stack.enter_async_context(api.streaming(token)))
        administrator = Client(await stack.enter_async_context(api.streaming(ADMIN_TOKEN)))
        yield {**clients, "instance administrator": administrator}


async def test_every_call_as_every_role(people: Mapping[str, Client], places: dict[str, str]) -> None:
    table = told()
    wrong = []
    for call in calls():
        if call.name in OPEN:
            continue
        for role, cell in table[call.name].items():
            status, text = await send(people[role], call, places)
            allowed = call.request.fine if cell == "yes" else (403,)
            if status not in allowed:
                wrong.append(f"{call.name} as {role}: {status}, not {allowed}: {text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_a_project_of_others_does_not_exist(
    people: Mapping[str, Client], places: dict[str, str]
) -> None:
    """Whoever is an admin here is told of another project what is told of none."""
    asked = 0
    for call in calls():
        if "{project}" in call.path:
            known = await send(people["admin"], call, {**places, "project": "other"})
            unknown = await send(people["admin"], call, {**places, "project": "ghost"})
            assert known == (unknown[0], unknown[1].replace("ghost", "other")), call.name
            assert known[0] == 404
            asked += 1
    assert asked > 50
