"""The audit log: who did what, from where and what changed; filtered, exported, append-only, bounded."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tests.integration.api.conftest import (
    ADMIN_EMAIL,
    ADMIN_TOKEN,
    COMPONENT,
    Client,
    RunningApi,
    orchestration,
)
from tests.integration.api.people import person_with_password, person_with_role, signed_in
from tests.support.databases import Database

from orchestrator_api.access.audit_routes import EXPORTED_AT_ONCE, JSON_LINES, Log
from orchestrator_api.access.audit_rows import AuditFilter
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.token_guard import Presented
from orchestrator_api.http.dependencies import Caller
from orchestrator_api.http.refusals import Unauthenticated

CANARY = "canary-7c1e0b5d"
ONE = "configurations/demo-extractor/one"


@asynccontextmanager
async def bearer_of(api: RunningApi, token: str) -> AsyncIterator[Client]:
    async with api.http(token) as http:
        yield Client(http)


async def newest(client: Client, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"audit?limit=1{query}"))["items"][0]
    return found


async def test_a_record_says_who_from_where_and_what_changed(api: RunningApi, furnished: Client) -> None:
    await furnished.put(ONE, {"name": "One", "parameters": {"rows": 2, "#password": "old"}})
    furnished.http.headers["X-Request-Id"] = "deploy-7"
    await furnished.put(ONE, {"name": "Uno", "parameters": {"rows": 2, "#password": "new"}})
    record = await newest(furnished)
    me = (await furnished.get("/v1/me"))["person"]["id"]
    assert (record["actor"], record["actor_kind"], record["actor_id"]) == (ADMIN_EMAIL, "person", me)
    assert (record["action"], record["subject_kind"]) == ("configuration.changed", "configuration")
    assert (record["subject"], record["request_id"]) == ("demo-extractor/one", "deploy-7")
    assert record["address"] == "127.0.0.1"
    assert record["changes"] == [
        {"path": "name", "kind": "changed", "before": "One", "after": "Uno", "secret": False},
        {
            "path": "parameters.#password",
            "kind": "changed",
            "before": "***",
            "after": "***",
            "secret": True,
        },
    ]
    token = await furnished.post("tokens", {"name": "robot", "scopes": ["run"]}, status=201)
    async with bearer_of(api, token["token"]) as robot:
        robot.http.headers["X-Request-Id"] = "not plain: " + "x" * 200
        await robot.post("orchestrations/daily/runs")
    record = await newest(furnished)
    assert (record["actor"], record["actor_kind"], record["actor_id"]) == (
        "token robot", "token", token["id"],
    )  # fmt: skip
    assert record["subject_id"] == record["detail"]["job_id"]
    assert len(record["request_id"]) == 36  # not what the caller sent


async def test_a_change_of_an_orchestration_names_its_tasks(furnished: Client) -> None:
    changed = orchestration("one", "two")
    changed["phases"][1]["tasks"][0]["continue_on_failure"] = True
    await furnished.put("orchestrations/daily", changed)
    record = await newest(furnished)
    assert (record["subject_kind"], record["subject"]) == ("orchestration", "orchestrator/daily")
    (change,) = record["changes"]
    assert change["path"] == "phases.Phase two.tasks.demo-extractor/two.continue_on_failure"
    assert (change["before"], change["after"]) == (False, True)


async def test_how_a_component_is_run_is_not_told_in_a_project(furnished: Client) -> None:
    """Administrators' fields stay theirs, even if the component was applied with a project's documents."""
    document = {
        "component": "demo-extractor",
        "name": "Demo",
        **COMPONENT,
        "command": ["{python}", CANARY],
    }
    await furnished.post("definitions/apply", {"documents": [document]})
    assert CANARY not in json.dumps(await furnished.get("audit?limit=500"))
    (record,) = (await furnished.get("/v1/audit?action=component.changed"))["items"]
    assert CANARY in json.dumps(record["changes"])


async def test_no_secret_is_ever_in_a_record(furnished: Client, database: Database) -> None:
    secret = {"rows": 1, "#password": CANARY}
    http = {"#token": CANARY, "list": [{"#key": CANARY}, {"#key": [CANARY]}]}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "environment": {"#KEY": CANARY}})
    await furnished.put("/v1/components/loose", {"type": "extractor", "command": ["x"]}, status=201)
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "environment": {"KEY": CANARY}})
    poll = {"url": "http://x/{{ id }}", "state": "s", "headers": {"X-Key": CANARY}}
    start = {"url": "http://x", "headers": {"X-Key": CANARY}}
    behind_http = {"start": start, "id": "id", "poll": poll, "states": {"success": ["ok"]}}
    remote = {
        "type": "application",
        "executor": "http",
        "http": {"headers": {"X-Key": CANARY}, **behind_http},
    }
    await furnished.put("/v1/components/remote", remote, status=201)
    await furnished.put("/v1/components/remote", {**remote, "http": behind_http})
    for value in (CANARY, CANARY + "2"):
        nested = {"#secret": value, "deep": {"#object": {"inner": value}}, **http}
        await furnished.put("configurations/loose/one", {"parameters": nested})
        task = {"component": "loose", "configuration": "one", "parameters": {"#token": value}}
        await furnished.put("orchestrations/secret", {"phases": [{"name": "P", "tasks": [task]}]})
        await furnished.put("variables/secret", {"value": value, "secret": True})
    await furnished.put("variables/secret", {"value": "open", "secret": False})
    await furnished.put("variables/secret", {"value": CANARY, "secret": True})
    await furnished.post(f"{ONE}/runs", {"parameters": secret})
    await furnished.post("orchestrations/secret/runs", {"parameters": {"loose/one": {"#token": CANARY}}})
    await furnished.post("definitions/apply", {"documents": [{"variables": {"#applied": CANARY}}]})
    token = await furnished.post("tokens", {"name": "x", "scopes": ["read"]}, status=201)
    fresh = await furnished.post(f"tokens/{token['id']}/refresh")
    await furnished.delete("variables/secret")
    await furnished.delete("orchestrations/secret")
    await furnished.delete("configurations/loose/one")
    for path in ("audit?format=jsonl", "/v1/audit?format=jsonl"):
        url = path if path.startswith("/") else f"/v1/projects/demo/{path}"
        text = (await furnished.http.get(url)).text
        assert "***" in text
        assert not [each for each in (CANARY, token["token"], fresh["token"]) if each in text]
    stored = await database.fetchval("SELECT string_agg(a::text, ' ') FROM catalog.audit a")
    assert "variable.changed" in stored
    assert CANARY not in stored


async def test_records_are_filtered(api: RunningApi, furnished: Client) -> None:
    token = await furnished.post("tokens", {"name": "robot", "scopes": ["configure"], "components": ["*"]})
    async with bearer_of(api, token["token"]) as robot:
        robot.http.headers["X-Request-Id"] = "the-only-one"
        await robot.put("variables/limit", {"value": "1"})
        await robot.put("variables/other", {"value": "1"})
    await furnished.put("variables/limit", {"value": "2"})
    everything = (await furnished.get("audit?limit=500"))["items"]
    fields = {
        "actor": "token robot",
        "action": "variable.created",
        "subject": "limit",
        "request_id": "the-only-one",
    }
    pairs = (["actor", "action"], ["subject", "actor"], ["request_id", "subject"])
    for names in (*([name] for name in fields), *pairs, list(fields)):
        query = "&".join(f"{name}={fields[name]}" for name in names)
        wanted = [each for each in everything if all(each[name] == fields[name] for name in names)]
        assert (await furnished.get(f"audit?limit=500&{query}"))["items"] == wanted
        first = await furnished.get(f"audit?limit=1&{query}")
        assert first["items"] == wanted[:1]
        if first["next"]:
            rest = await furnished.get(f"audit?limit=500&{query}&cursor={first['next']}")
            assert first["items"] + rest["items"] == wanted
    middle = everything[2]["at"]
    later = (await furnished.get(f"audit?since={middle}"))["items"]
    earlier = (await furnished.get(f"audit?until={middle}&limit=500"))["items"]
    assert (later, earlier) == (everything[:3], everything[3:])
    (created,) = (await furnished.get(f"/v1/audit?actor={ADMIN_EMAIL}&subject=demo"))["items"]
    assert created["action"] == "project.created"
    for wrong in ("since=yesterday", "format=csv", f"subject={'x' * 301}"):
        await furnished.get(f"audit?{wrong}", status=422)


FILL = """
INSERT INTO catalog.audit (id, project, actor, action, subject, detail, at, request_id)
SELECT gen_random_uuid(), CASE n % 20 WHEN 0 THEN NULL WHEN 1 THEN 'other' ELSE 'demo' END, 'a' || n % 50,
       'x.' || n % 40, 's' || n % 500, '{}', timestamptz '2026-01-01Z' + n * interval '1 second', 'r' || n / 3
FROM generate_series(1, $1::integer) AS n
"""


@pytest.mark.parametrize("how", ["format", "accept"])
async def test_all_records_are_exported_as_lines(admin: Client, database: Database, how: str) -> None:
    count = 3 * EXPORTED_AT_ONCE
    await database.execute(FILL, count)
    asked = {"params": {"format": "jsonl"}} if how == "format" else {"headers": {"Accept": JSON_LINES}}
    for url, wanted in (("/v1/projects/demo/audit", "= 'demo'"), ("/v1/audit", "IS NULL")):
        answer = await admin.http.get(url, **asked)  # type: ignore[arg-type]
        assert answer.headers["content-type"].startswith(JSON_LINES)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        stored = await database.fetch(
            f"SELECT id::text FROM catalog.audit WHERE project {wanted} ORDER BY at DESC, id DESC"
        )
        assert [line["id"] for line in lines] == [row["id"] for row in stored]
        page = await admin.get(f"{url}?limit=3")
        assert lines[:3] == page["items"]
    some = await admin.http.get("/v1/projects/demo/audit?actor=a2&format=jsonl")
    assert {json.loads(line)["actor"] for line in some.text.splitlines()} == {"a2"}
    empty = await admin.http.get("/v1/projects/demo/audit?actor=nobody&format=jsonl")
    assert (empty.status_code, empty.text) == (200, "")


async def test_an_export_is_for_those_who_may_read_the_log(
    api: RunningApi, admin: Client, database: Database
) -> None:
    await database.execute(FILL, 3 * EXPORTED_AT_ONCE)
    for role, status in (("admin", 200), ("editor", 403)):
        token = await person_with_role(admin, database, f"{role}@example.com", role=role)
        async with bearer_of(api, token) as person:
            answer = await person.http.get("/v1/projects/demo/audit?format=jsonl")
            assert answer.status_code == status
            await person.get("/v1/audit?format=jsonl", status=403)
            await person.get("/v1/projects/other/audit?format=jsonl", status=404)


async def test_an_export_ends_with_the_right_to_it(
    api: RunningApi, admin: Client, database: Database
) -> None:
    """It is checked again before each part, and the answer breaks off instead of looking whole."""
    await database.execute(FILL, 3 * EXPORTED_AT_ONCE)
    application: Any = api.lifecycle.app
    caller = Caller(application._app.state.sessions, Presented(ADMIN_TOKEN, "127.0.0.1"))
    log = Log(caller, Scope.ADMINISTER, "demo", AuditFilter())
    parts = aiter((await log.exported()).body_iterator)
    first = await anext(parts)
    assert isinstance(first, bytes)
    assert first.count(b"\n") == EXPORTED_AT_ONCE
    await database.execute("UPDATE catalog.tokens SET revoked_at = now()")
    with pytest.raises(Unauthenticated):
        await anext(parts)


async def test_records_cannot_be_changed_nor_deleted(admin: Client, database: Database) -> None:
    await admin.put("variables/limit", {"value": "1"})
    attempts = (
        "UPDATE catalog.audit SET actor = 'someone else'",
        "DELETE FROM catalog.audit",
        "TRUNCATE catalog.audit",
    )
    count = "SELECT count(*) FROM catalog.audit"
    before = await database.fetchval(count)
    for role in ("api", None):
        async with database.connection(role) as connection:
            if role:  # it is no key to the lock
                await connection.execute("SET orchestrator.forgets_audit = 'on'")
            for attempt in attempts:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(attempt)
            # No one erases what happened lately, whatever they ask for.
            forgotten = await connection.fetch("SELECT catalog.forget_audit(0, 1000000)")
            assert forgotten == []
    async with database.connection("runner") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT catalog.forget_audit(30, 1)")
    assert await database.fetchval(count) == before


async def test_old_records_are_forgotten(admin: Client, database: Database) -> None:
    old = (
        "INSERT INTO catalog.audit (id, actor, action, subject, at)"
        " VALUES (gen_random_uuid(), 'a', 'old', 's', $1)"
    )
    now = datetime.now(UTC)
    for days in (31, 99, 101, 110):  # all younger than what the running api forgets by itself
        await database.execute(old, now - timedelta(days=days))
    async with database.connection("api") as connection:
        forget = "SELECT count(*) FROM catalog.forget_audit(100, $1)"
        assert [await connection.fetchval(forget, batch) for batch in (1, 10, 10)] == [1, 1, 0]
        await database.execute(old, now - timedelta(days=800))
        # What the release before this one does.
        status = await connection.execute("DELETE FROM catalog.audit WHERE at < now() - interval '2 years'")
        assert status == "DELETE 1"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM catalog.audit WHERE at < now() - interval '40 days'")
    assert await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action = 'old'") == 2


async def test_refused_tokens_are_recorded_few_of_many(
    api: RunningApi, admin: Client, database: Database
) -> None:
    wrong = "orc_" + "x" * 60
    async with bearer_of(api, wrong) as stranger:
        for _ in range(5):
            await stranger.get("jobs", status=401)
    (record,) = (await admin.get("/v1/audit?action=token.refused"))["items"]
    assert (record["actor"], record["actor_kind"], record["address"]) == ("nobody", "unknown", "127.0.0.1")
    assert (record["detail"], record["subject"]) == ({"reason": "unknown", "count": 1}, "unknown token")
    assert wrong not in json.dumps(record)


async def test_what_people_and_tokens_may_not_do_is_recorded_few_of_many(
    api: RunningApi, admin: Client, database: Database
) -> None:
    """In the log of the project it is about; otherwise a token's in its own, a person's in no project's."""
    eva = await person_with_role(admin, database, "eva@example.com", role="viewer")
    robot = (await admin.post("tokens", {"name": "robot", "scopes": ["read"]}, status=201))["token"]
    for token in (eva, robot):
        async with bearer_of(api, token) as caller:
            for _ in range(3):
                await caller.put("variables/x", {"value": "1"}, status=403)
                await caller.get("/v1/people", status=403)
                await caller.get("audit", status=403)
    records = (await admin.get("audit?action=call.refused"))["items"]
    found = [(each["actor"], each["actor_kind"], each["subject"]) for each in reversed(records)]
    assert found == [
        ("eva@example.com", "person", "save_variable"),
        ("eva@example.com", "person", "list_audit"),
        *(("token robot", "token", call) for call in ("save_variable", "list_people", "list_audit")),
    ]
    assert {each["detail"]["count"] for each in records} == {1}
    assert records[-1]["detail"]["reason"].startswith("your role does not allow this (it needs 'configure')")
    assert (records[-1]["subject_kind"], records[-1]["address"]) == ("call", "127.0.0.1")
    (record,) = (await admin.get("/v1/audit?action=call.refused"))["items"]
    assert (record["actor"], record["subject"]) == ("eva@example.com", "list_people")
    application: Any = api.lifecycle.app
    counted = application._app.state.sessions.guard.forbidden._addresses
    assert [each.unrecorded for each in counted.values()] == [2] * 6, "each call counts once"


async def test_a_forged_call_is_recorded(api: RunningApi, admin: Client, database: Database) -> None:
    await person_with_password(admin, database, "eva@example.com", role="admin")
    async with signed_in(api, "eva@example.com") as browser:
        browser.http.headers["Sec-Fetch-Site"] = "cross-site"
        await browser.put("variables/x", {"value": "1"}, status=403)
    (record,) = (await admin.get("/v1/audit?action=call.refused"))["items"]
    assert (record["actor"], record["subject"]) == ("eva@example.com", "save_variable")
    assert "it came from another site" in record["detail"]["reason"]


async def test_a_project_sees_its_ended_tokens_refused(api: RunningApi, admin: Client) -> None:
    token = await admin.post("tokens", {"name": "robot", "scopes": ["read"]}, status=201)
    await admin.delete(f"tokens/{token['id']}")
    async with bearer_of(api, token["token"]) as robot:
        robot.http.headers["X-Request-Id"] = "too-late"
        await robot.get("jobs", status=401)
    record = await newest(admin)
    assert (record["action"], record["subject"], record["subject_id"]) == (
        "token.refused",
        "robot",
        token["id"],
    )
    assert (record["detail"], record["request_id"]) == ({"reason": "ended", "count": 1}, "too-late")
