"""Every call as everyone, with two projects, held against the table in tests/support/access_rows.py.

A new call without a row there, or without a request in crawl.py, fails.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.integration.api.conftest import ADMIN_TOKEN, Client, orchestration, running, settings_on
from tests.integration.api.crawl import ENDS_SESSION, PERIOD, Answer, Call, Caller, calls, send
from tests.integration.api.tenants import ROLES, TOKENS, Tenants, two_tenants
from tests.support.access_rows import KINDS, NO, OPEN, OWN, ROWS, YES, row
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

ADMINISTRATOR = "instance administrator"
BY_COOKIE = " by cookie"
SAFE = "GET"
FULL_TOKEN = ("configure, its component", "run", "run, a component", "publish")
NOT_OF_A_PROJECT = {
    "component": "components belong to the installation",
    "version": "a number, counted for each configuration",
    "other": "a version, too",
    "link": "a secret, not an id",
    "letter": "of the installation: only for its administrators",
}
"""Parameters of paths that name nothing of a project, with the reason."""
CREATES = ("save_", "share_")
"""How the names of calls begin that make what they name; asked last, because it exists then."""
VARYING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z"
    r'|(?<="etag":")\\"[^"]+"'
    r'|(?<="version":)\d+|(?<="plan_id":")[^"]+'
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Tenants]:
    settings = settings_on(shared_database, vhost)
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        yield await two_tenants(api.app, Client(http), shared_database)


together = pytest.mark.asyncio(loop_scope="module")


def guarded() -> Iterator[Call]:
    """The calls that are not open to everyone."""
    return (call for call in calls() if call.name not in OPEN)


def test_every_call_has_a_row() -> None:
    assert sorted([*ROWS, *OPEN]) == sorted(call.name for call in calls())
    assert set(KINDS) == {*TOKENS, "orchestration", "job", *ROLES, ADMINISTRATOR}
    assert {cell for operation in ROWS for cell in row(operation).values()} == {YES, OWN, NO}


@together
async def test_every_call_as_every_role_and_with_every_token(tenants: Tenants) -> None:
    wrong = []
    for call in guarded():
        expected = row(call.name)
        for kind, caller in tenants.callers.items():
            places = {**tenants.places, **caller.places, **(call.request.places or {})}
            answer = await asked(tenants, caller, call, places)
            cell = expected[kind.removesuffix(BY_COOKIE)]
            allowed = (403,) if cell == NO else _fine(call, kind)
            if answer.status not in allowed:
                wrong.append(f"{call.name} as {kind}: {answer.status}, not {allowed}: {answer.text[:200]}")
            if not kind.startswith(ADMINISTRATOR):
                wrong += _leaks(call, kind, answer)
    assert not wrong, "\n".join(wrong)


def _fine(call: Call, kind: str) -> tuple[int, ...]:
    request = call.request
    if request.without_session is not None and not kind.endswith(BY_COOKIE):
        return request.without_session
    return request.fine


def _leaks(call: Call, kind: str, answer: Answer) -> list[str]:
    """Answers that mention the other project or what is in it."""
    found = [word for word in ("rival", "Rival", "theirs") if word in answer.text]
    return [f"{call.name} as {kind} mentions {found}: {answer.text[:500]}"] if found else []


async def asked(
    tenants: Tenants, caller: Caller, call: Call, places: Mapping[str, str], body: object = None
) -> Answer:
    """Make the call; sessions and logins that it ends begin again."""
    if call.name not in ENDS_SESSION:
        return await send(tenants.app, caller, call, places, body)
    sessions = await tenants.database.fetch("SELECT s FROM catalog.sessions s")
    logins = await tenants.database.fetch("SELECT id FROM catalog.tokens WHERE revoked_at IS NULL")
    answer = await send(tenants.app, caller, call, places, body)
    for (session,) in sessions:
        again = "INSERT INTO catalog.sessions SELECT ($1::catalog.sessions).* ON CONFLICT DO NOTHING"
        await tenants.database.execute(again, session)
    again = (
        "UPDATE catalog.tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL AND id = ANY ($1::uuid[])"
    )
    await tenants.database.execute(again, [login["id"] for login in logins])
    return answer


@together
async def test_open_calls_answer_everyone_alike(tenants: Tenants) -> None:
    for call in (call for call in calls() if call.name in OPEN):
        for caller in (tenants.ended["nothing"], tenants.callers["read"], tenants.ended["revoked"]):
            answer = await asked(tenants, caller, call, tenants.places)
            assert answer.status == OPEN[call.name], (call.name, answer.text)


@together
async def test_what_has_ended_opens_nothing(tenants: Tenants) -> None:
    """Tokens and sessions that expired, were revoked, belong to an ended attempt or to a disabled account."""
    wrong = []
    for call in guarded():
        for kind, caller in tenants.ended.items():
            answer = await asked(tenants, caller, call, tenants.places)
            if answer.status != 401:
                wrong.append(f"{call.name} with {kind}: {answer.status} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


@together
async def test_other_sites_can_change_nothing(tenants: Tenants) -> None:
    for call in guarded():
        for kind, caller in tenants.forgeries.items():
            if call.method != SAFE:
                answer = await asked(tenants, caller, call, tenants.places)
                assert answer.status == 403, (call.name, kind, answer.text)
                assert "another site" in answer.text, (call.name, kind, answer.text)


@together
async def test_a_project_of_others_does_not_exist(tenants: Tenants) -> None:
    """Members of each project are told of the other what they are told of one that was never created."""
    wrong = []
    callers = {**tenants.callers, **{f"rival's {kind}": one for kind, one in tenants.outsiders.items()}}
    for call in (call for call in guarded() if call.is_of_project):
        nowhere = await asked(tenants, tenants.callers["admin"], call, {**tenants.places, "project": "ghost"})
        for kind, caller in callers.items():
            if kind.startswith(ADMINISTRATOR):
                continue
            known = "rival" if kind in tenants.callers else "demo"
            there = await asked(tenants, caller, call, {**tenants.places, "project": known})
            if there.status != 404 or canonical(there, known) != canonical(nowhere, "ghost"):
                wrong.append(f"{call.name} as {kind}: {there} {nowhere}")
    assert not wrong, "\n".join(wrong)


@together
async def test_outsiders_are_like_everyone_outside_of_projects(tenants: Tenants) -> None:
    wrong = []
    for call in (call for call in guarded() if not call.is_of_project):
        expected = row(call.name)
        columns = {"token": FULL_TOKEN, "job token": ("job",)}
        for kind, caller in tenants.outsiders.items():
            is_allowed = any(expected[column] != NO for column in columns.get(kind, ("viewer",)))
            allowed = _fine(call, kind) if is_allowed else (403,)
            answer = await asked(tenants, caller, call, tenants.places)
            if answer.status not in allowed:
                wrong.append(f"{call.name} as rival's {kind}: {answer.status}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def canonical(answer: Answer, *names: str) -> tuple[int, str, dict[str, str]]:
    """An answer without the names that were asked for, and without what differs from request to request."""
    asked_for = re.compile("|".join(map(re.escape, names)))
    headers = {key: text for key, text in answer.headers.items() if key not in ("date", "x-request-id")}
    headers |= {name: "present" for name in ("etag", "content-length", "ratelimit") if name in headers}
    masked = {key: VARYING.sub("?", asked_for.sub("NAME", text)) for key, text in headers.items()}
    return answer.status, VARYING.sub("?", asked_for.sub("NAME", answer.text)), masked


def test_every_parameter_is_crawled_or_explained() -> None:
    named = {name for call in calls() for name in call.parameters}
    assert named == {*FOREIGN_NAMES, *NOT_OF_A_PROJECT}


FOREIGN_NAMES = (
    "project", "orchestration", "configuration", "schedule", "schedule_id", "trigger", "trigger_id",
    "bucket", "table", "shared_with", "name", "token", "person", "session", "job",
)  # fmt: skip


def _questions() -> Iterator[tuple[Call, str]]:
    """Every call with every id of a project in its path; what creates comes last."""
    for call in sorted(guarded(), key=lambda call: call.name.startswith(CREATES)):
        for name in call.parameters:
            if name not in (*NOT_OF_A_PROJECT, "project"):
                yield call, name


@together
async def test_ids_of_others_are_like_ids_that_do_not_exist(tenants: Tenants) -> None:
    """Status, headers and body are those for an id that was never given, and nothing is changed."""
    before, wrong, count = await everything_of(tenants.database, "rival"), [], 0
    for call, name in _questions():
        foreign = tenants.foreign[name]
        ghost = ghost_like(foreign)
        for kind, caller in tenants.callers.items():
            if kind.startswith(ADMINISTRATOR) and not call.is_of_project:
                continue
            own = {**tenants.places, **caller.places}
            there = await asked(tenants, caller, call, {**own, name: foreign})
            nowhere = await asked(tenants, caller, call, {**own, name: ghost})
            count += 1
            if canonical(there, foreign) != canonical(nowhere, ghost):
                wrong.append(f"{call.name} with {name} as {kind}:\n  {there}\n  {nowhere}")
    assert not wrong, "\n".join(wrong)
    assert count > 1_400
    assert await everything_of(tenants.database, "rival") == before


MENTIONS: Sequence[tuple[str, str, str, Callable[[str], Any]]] = (
    ("list_jobs", "job", "?parent={}", lambda _: None),
    ("list_jobs", "job", "?root={}", lambda _: None),
    ("list_jobs", "configuration", "?component=demo-extractor&configuration={}", lambda _: None),
    ("save_orchestration", "configuration", "", lambda name: orchestration(name)),
    (
        "backfill_schedule",
        "orchestration",
        "",
        lambda name: backfill(orchestration=name, schedule="mornings"),
    ),
    ("backfill_schedule", "schedule", "", lambda name: backfill(orchestration="daily", schedule=name)),
    ("backfill_schedule", "schedule_id", "", lambda name: backfill(schedule_id=name)),
    ("save_trigger", "bucket", "", lambda name: {"tables": [f"{name}.t"]}),
    ("save_trigger", "bucket", "", lambda name: {"tables": [f"rival/{name}.t"]}),
    ("save_trigger", "project", "", lambda name: {"tables": [f"{name}/in.c-theirs.t"]}),
    ("plan_definitions", "configuration", "", lambda name: nesting(f"demo-extractor/{name}")),
    ("apply_definitions", "configuration", "", lambda name: nesting(f"demo-extractor/{name}")),
    ("plan_definitions", "orchestration", "", lambda name: nesting(f"orchestrator/{name}")),
    ("apply_definitions", "orchestration", "", lambda name: nesting(f"orchestrator/{name}")),
)
"""Ids in queries and bodies: the call, whose id it is, the query, and the body."""


def backfill(**schedule: str) -> dict[str, Any]:
    return {**schedule, **PERIOD}


def nesting(run: str) -> dict[str, Any]:
    tasks = [{"run": run}]
    document = {"orchestration": "nesting", "phases": [{"name": "first", "tasks": tasks}]}
    return {"documents": [document], "plan_id": "*"}


@together
async def test_ids_of_others_in_queries_and_bodies_are_like_none(tenants: Tenants) -> None:
    before, wrong = await everything_of(tenants.database, "rival"), []
    known = {call.name: call for call in calls()}
    apply, body = known["apply_definitions"], nesting("demo-extractor/one")
    answer = await asked(tenants, tenants.callers["admin"], apply, tenants.places, body)
    assert answer.status == 200, answer.text
    for name, of, query, body_of in MENTIONS:
        foreign, ghost = tenants.foreign[of], ghost_like(tenants.foreign[of])
        for kind in ("run", "configure, its component", "viewer who may run", "editor", "admin by cookie"):
            answers = []
            for given in (foreign, ghost):
                call = replace(known[name], path=known[name].path + query.format(given))
                answer = await asked(tenants, tenants.callers[kind], call, tenants.places, body_of(given))
                answers.append(canonical(answer, foreign, ghost))
            if answers[0] != answers[1]:
                wrong.append(f"{name} with {of} as {kind}:\n  {answers[0]}\n  {answers[1]}")
    assert not wrong, "\n".join(wrong)
    assert await everything_of(tenants.database, "rival") == before


@together
async def test_a_place_in_a_list_of_others_shows_only_own_things(tenants: Tenants) -> None:
    """A cursor says where a page begins, not whose it is."""
    covered, theirs = set(), {**tenants.places, **tenants.foreign, "orchestration": "daily"}
    for call in (call for call in guarded() if call.is_of_project and call.name.startswith("list_")):
        paged = replace(call, path=f"{call.path}?limit=1")
        page = json.loads((await send(tenants.app, tenants.callers[ADMINISTRATOR], paged, theirs)).text)
        if not page.get("next"):
            continue
        covered.add(call.name)
        for kind in ("admin", f"admin{BY_COOKIE}"):
            caller, whole = tenants.callers[kind], replace(call, path=f"{call.path}?limit=500")
            own = json.loads((await send(tenants.app, caller, whole, tenants.places)).text)["items"]
            there = replace(call, path=f"{whole.path}&cursor={page['next']}")
            answer = await send(tenants.app, caller, there, tenants.places)
            assert answer.status == 200, (call.name, answer.text)
            assert all(item in own for item in json.loads(answer.text)["items"]), call.name
    assert covered >= {"list_configurations", "list_orchestrations", "list_jobs", "list_tokens", "list_audit"}


def ghost_like(foreign: str) -> str:
    """An id as long as this one, which was never given."""
    return (
        str(uuid4()) if len(foreign) == 36 else foreign.replace("theirs", "ghosts").replace("rival", "ghost")
    )


async def everything_of(database: Database, project: str) -> dict[str, str]:
    """A digest of every table's rows of the project."""
    tables = await database.fetch(
        "SELECT c.table_schema || '.' || c.table_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.column_name = 'project' AND t.table_type = 'BASE TABLE'"
    )
    digest = (
        "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t WHERE project = $1"
    )
    return {table: await database.fetchval(digest.format(table), project) for (table,) in tables}
