"""Every call with every kind of token, held against the table of docs/reference/tokens.md.

A new call without a row there, or without a request here, fails.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.api.conftest import ADMIN_TOKEN, COMPONENT, KEY, Client, RunningApi, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.support import documentation as docs
from tests.support.databases import Database

from orchestrator_api.openapi import description
from orchestrator_shared.job_tokens import JOB_SCOPES, JobToken, job_token_keys, sign_job_token
from orchestrator_shared.security import hash_token
from orchestrator_shared.settings import parse_keys

PAGE = docs.REFERENCE / "tokens.md"
COMPONENTS = ["demo-extractor", "orchestrator"]
KINDS: Mapping[str, dict[str, Any]] = {
    "read": {"scopes": ["read"]},
    "configure": {"scopes": ["configure"]},
    "configure, its component": {"scopes": ["configure"], "components": COMPONENTS},
    "run": {"scopes": ["run"]},
    "run, a component": {"scopes": ["run"], "components": ["demo-extractor"]},
    "publish": {"scopes": ["publish"], "buckets": ["in.c-x"]},
}
OWN, JOB = "orchestration", "job"
"""An orchestration's own token, whose text no one has, and the token that the program of a job gets."""
COLUMNS = [*KINDS, OWN, JOB, "administrator"]
OPEN = {
    "receive_callback": 404,
    "sign_in": 401,
    "create_cli_login": 401,
    "request_password_reset": 202,
    "get_link": 404,
    "use_link": 404,
}
"""Calls that need no token, and what they answer here to everyone."""
GHOST = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Request:
    """A request that is valid apart from permissions; `fine` are the statuses for those who have them."""

    fine: tuple[int, ...] = (200,)
    body: Any = None
    places: Mapping[str, str] | None = None


TASKS = orchestration("one")
VARIABLE = {"kind": "variables", "project": "demo", "variables": {"other": "1"}}
PERIOD = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
ASKED = Request((202,), {})
GONE = Request((404,), places={"configuration": "ghost", "orchestration": "ghost", "schedule": "ghost"})
REQUESTS: Mapping[str, Request] = {
    "switch_orchestration": Request((200,), {"enabled": True}),
    "switch_schedule": Request((200,), {"enabled": True}),
    "switch_trigger": Request((200,), {"enabled": True}),
    "get_member": Request((404,)),
    "invite_member": Request((201, 409), {"email": "new@example.com", "role": "viewer"}),
    "change_member": Request((404,), {"role": "viewer"}),
    "remove_member": Request((404,)),
    "create_project": Request((201, 409), {"id": "another"}),
    "change_project": Request((200,), {"parallel_limit": None}),
    "save_component": Request((200,), COMPONENT),
    "save_configuration": Request((200,), {"parameters": {"rows": 1}}),
    "delete_configuration": GONE,
    "save_orchestration": Request((200, 201), TASKS, {"orchestration": "saved"}),
    "delete_orchestration": GONE,
    "restore_configuration_version": Request((200,), {}),
    "copy_configuration": Request((201, 409), {"id": "copied"}),
    "restore_orchestration_version": Request((200,), {}),
    "copy_orchestration": Request((201, 409), {"id": "copied"}),
    "automate_configuration": Request((201,), {}),
    "restore_from_trash": GONE,
    "purge_from_trash": GONE,
    "group_tasks": Request((200,), {"by": "type"}),
    "arrange_tasks": Request((200,), {"operations": [{"operation": "one_task_per_phase"}]}),
    "change_orchestration_token": Request((200,), {"components": ["*"]}),
    "refresh_orchestration_token": Request((204,)),
    "run_orchestration": ASKED,
    "run_configuration": ASKED,
    "backfill_schedule": Request((202,), {"orchestration": "daily", "schedule": "mornings", **PERIOD}),
    "terminate_job": Request((202,)),
    "plan_retry": Request((409,)),  # it is not finished
    "retry_job": Request((409,), {"plan_id": "x"}),
    "save_schedule": Request((200,), {"cron": "30 5 * * *"}),
    "delete_schedule": GONE,
    "preview_schedule": Request((200,), {"cron": "30 5 * * *"}),
    "save_trigger": Request((200,), {"tables": ["in.c-x.t"]}),
    "delete_trigger": Request((404,), places={"trigger": "ghost"}),
    "reset_trigger": Request((204,)),
    "publish_table_updates": Request((202,), {"table": "in.c-x.t"}),
    "share_bucket": Request((204,)),
    "unshare_bucket": Request((404,), places={"bucket": "in.c-ghost"}),
    "save_variable": Request((200,), {"value": "1"}),
    "delete_variable": Request((404,), places={"name": "ghost"}),
    "create_token": Request((201,), {"name": "made", "scopes": ["read"]}),
    "change_token": Request((404,), {"name": "changed"}),
    "refresh_token": Request((404,)),
    "get_token": Request((404,)),
    "revoke_token": Request((404,)),
    "get_administrator_token": Request((404,)),
    "revoke_administrator_token": Request((404,)),
    "save_notifications": Request((200,), {"subscriptions": []}),
    "plan_definitions": Request((200,), {"documents": []}),
    "apply_definitions": Request((200,), {"documents": []}),
    "replay_dead_letter": Request((404,)),
    "discard_dead_letter": Request((404,)),
    "receive_callback": Request((404,), {}),
    "sign_in": Request((401,), {"email": "ghost@example.com", "password": "not the right one"}),
    "create_cli_login": Request((401,), {"code": "x", "verifier": "v" * 43}),
    "revoke_own_token": Request((404,)),
    "request_password_reset": Request((202,), {"email": "ghost@example.com"}),
    "get_link": Request((404,)),
    "use_link": Request((404,), {"password": "a new, long password"}),
    "invite_person": Request((201,), {"email": "another@example.com"}),
    "reset_password": Request((404,)),
    "get_session": Request((404,)),
    "sign_out": Request((404,)),
    "end_session": Request((404,)),
    "sign_out_everywhere": Request((204,)),
    "change_password": Request(
        (422,), {"current_password": "not the right one", "new_password": "a new, long password"}
    ),
    "get_person": Request((404,)),
    "change_person": Request((404,), {"disabled": True}),
}


@dataclass(frozen=True)
class Call:
    """One operation of the API's description."""

    name: str
    method: str
    path: str

    @property
    def request(self) -> Request:
        known = REQUESTS.get(self.name)
        assert known or self.method == "GET", f"{self.name} has no request in REQUESTS"
        return known or Request()

    def url(self, places: Mapping[str, str]) -> str:
        return self.path.format_map({**places, **(self.request.places or {})})


def calls() -> list[Call]:
    paths = json.loads(description())["paths"]
    return [
        Call(operation["operationId"], method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
    ]


def told() -> dict[str, dict[str, str]]:
    """The page's table: by operation and kind of token."""
    rows = docs.table_rows(PAGE, columns=1 + len(COLUMNS))
    return {name: dict(zip(COLUMNS, cells, strict=True)) for name, *cells in rows}


def test_every_call_has_a_row() -> None:
    assert f"| call | {' | '.join(COLUMNS)} |" in PAGE.read_text(encoding="utf-8")
    table = told()
    assert sorted([*table, *OPEN]) == sorted(call.name for call in calls())
    assert {cell for row in table.values() for cell in row.values()} == {"yes", "own", "no"}


@dataclass(frozen=True)
class Bearers:
    """A client for each kind of token, and what its requests are about."""

    clients: Mapping[str, Client]
    places: Mapping[str, Mapping[str, str]]
    strangers: Mapping[str, Client]
    """No token, a wrong one, and a good one of another project."""
    foreign_job: str

    async def send(self, kind: str, call: Call, **places: str) -> tuple[int, str]:
        client = self.clients.get(kind) or self.strangers[kind]
        return await send(client, call, {**self.places.get(kind, self.places["administrator"]), **places})


async def send(client: Client, call: Call, places: Mapping[str, str]) -> tuple[int, str]:
    url, body = call.url(places), call.request.body
    status, text = await _answer(client, call.method, url, body, {})
    return (
        (status, text) if status != 428 else await _answer(client, call.method, url, body, {"If-Match": "*"})
    )


async def _answer(
    client: Client, method: str, url: str, body: Any, headers: Mapping[str, str]
) -> tuple[int, str]:
    given = {**headers, "X-Request-Id": "of-every-request"}  # in problems, which are compared
    async with client.http.stream(method, url, json=body, headers=given) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return response.status_code, ""  # its end may never come
        await response.aread()
    return response.status_code, response.text


@pytest.fixture
async def bearers(api: RunningApi, furnished: Client, database: Database) -> AsyncIterator[Bearers]:
    schedule = await furnished.put(
        "orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201
    )
    trigger = await furnished.put(
        "orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201
    )
    await furnished.put("variables/limit", {"value": "1"}, status=201)
    await furnished.post("/v1/projects", {"id": "other"}, status=201)
    run = (await furnished.post("orchestrations/daily/runs"))["job_id"]
    common = {
        "project": "demo", "orchestration": "daily", "component": "demo-extractor", "configuration": "one",
        "schedule": "mornings", "schedule_id": schedule["id"], "trigger": "loaded",
        "trigger_id": trigger["id"], "bucket": "in.c-x", "table": "in.c-x.t",
        "shared_with": "other", "name": "limit",
        "token": GHOST, "person": GHOST, "session": GHOST, "link": "ghost", "letter": "ghost", "job": run,
        "version": "1", "other": "1",
    }  # fmt: skip
    async with AsyncExitStack() as stack:

        async def client(token: str | None) -> Client:
            return Client(await stack.enter_async_context(api.streaming(token)))

        clients, places = {"administrator": await client(ADMIN_TOKEN)}, {"administrator": common}
        for kind, wish in KINDS.items():
            made = await furnished.post("tokens", {"name": kind, **wish}, status=201)
            clients[kind] = await client(made["token"])
            places[kind] = {**common, "job": await own_run(clients[kind], kind) or run}
        await furnished.put("orchestrations/another", TASKS, status=201)
        await database.execute(
            "UPDATE catalog.tokens SET secret_hash = $1 WHERE name = 'orchestration another'",
            hash_token("own"),
        )
        clients[OWN] = await client("own")
        underway = await processing_job(database)
        clients[JOB] = await client(job_token(underway))
        places[JOB] = {**common, "job": str(underway)}
        every = {"name": "x", "scopes": ["read", "configure", "run", "tables"], "components": ["*"]}
        foreign = await furnished.post("/v1/projects/other/tokens", every, status=201)
        strangers = {
            "none": await client(None),
            "wrong": await client("orc_" + "x" * 60),
            "foreign": await client(foreign["token"]),
        }
        yield Bearers(clients, places, strangers, run)


async def processing_job(database: Database) -> UUID:
    runner = Runner(database)
    await runner.connect()
    return await runner.job("two", 1, "processing")


def job_token(job: UUID) -> str:
    """As the runner makes it for the first attempt."""
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    key = job_token_keys(parse_keys(KEY))[0]
    return sign_job_token(key, JobToken(job, 1, "demo", JOB_SCOPES, expires_at))


async def own_run(client: Client, kind: str) -> str | None:
    path = {"run": "orchestrations/daily/runs", "run, a component": "configurations/demo-extractor/one/runs"}
    return (await client.post(path[kind]))["job_id"] if kind in path else None


async def test_every_call_with_every_token(bearers: Bearers) -> None:
    table = told()
    wrong = []
    for call in calls():
        if call.name in OPEN:
            continue
        for kind, cell in table[call.name].items():
            status, text = await bearers.send(kind, call)
            allowed = call.request.fine if cell in ("yes", "own") else (403,)
            if status not in allowed:
                wrong.append(f"{call.name} with {kind}: {status}, not {allowed}: {text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_strangers_learn_nothing(bearers: Bearers) -> None:
    wrong = []
    for call in calls():
        for kind in bearers.strangers:
            status, text = await bearers.send(kind, call)
            if call.name in OPEN:
                expected = {OPEN[call.name]}
            elif kind != "foreign":
                expected = {401}
            else:
                expected = {404} if "{project}" in call.path else {*call.request.fine, 403}
            if status not in expected or (
                status == 404 and "{project}" in call.path and "no project" not in text
            ):
                wrong.append(f"{call.name} with {kind}: {status} {text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_other_jobs_are_as_if_they_did_not_exist(bearers: Bearers) -> None:
    """What a token asks about a job that it may not know is answered, to the letter, as for none."""
    table = told()
    asked = 0
    for call in calls():
        for kind in ("run", "run, a component", JOB):
            if "{job}" in call.path and table[call.name][kind] == "own":
                ghost = str(uuid4())
                known = await bearers.send(kind, call, job=bearers.foreign_job)
                unknown = await bearers.send(kind, call, job=ghost)
                assert known == (unknown[0], unknown[1].replace(ghost, bearers.foreign_job)), call.name
                assert unknown[0] == 404
                asked += 1
    assert asked == 12
