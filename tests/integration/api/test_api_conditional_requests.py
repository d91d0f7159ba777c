"""ETag and If-Match on everything that people edit: nobody overwrites a change that they have not seen."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import COMPONENT, Client, orchestration
from tests.support.databases import Database

from orchestrator_api.openapi import description

DAILY = "orchestrations/daily"
UNCONDITIONAL = {
    "share_bucket": "either shared or not",
    "unshare_bucket": "either shared or not",
    "discard_dead_letter": "a letter never changes",
    "purge_from_trash": "what is in the trash does not change; a restore takes it out",
    "sign_out": "a session is only ended",
    "sign_out_everywhere": "a session is only ended",
    "end_session": "a session is only ended",
    "revoke_own_token": "a token of a person is only ended",
    "change_password": "takes the current password",
    "change_me": "only how a person sees the pages",
    "unlink_person": "either linked or not",
}
"""Operations that change or delete something without a tag, and why."""


@dataclass(frozen=True)
class Thing:
    """Something that people edit."""

    path: str
    method: str
    body: dict[str, Any]
    other: dict[str, Any]
    """Another state."""


TASKS, FEWER = orchestration("one", "two"), orchestration("one")
THINGS = {
    "component": Thing("/v1/components/demo-extractor", "PUT", COMPONENT, {**COMPONENT, "description": "d"}),
    "configuration": Thing(
        "configurations/demo-extractor/one", "PUT", {"parameters": {"rows": 1}}, {"parameters": {"rows": 2}}
    ),
    "orchestration": Thing(DAILY, "PUT", TASKS, FEWER),
    "schedule": Thing(f"{DAILY}/schedules/s", "PUT", {"cron": "30 5 * * *"}, {"cron": "31 5 * * *"}),
    "trigger": Thing(f"{DAILY}/triggers/t", "PUT", {"tables": ["in.c-x.a"]}, {"tables": ["in.c-x.b"]}),
    "notifications": Thing(
        f"{DAILY}/notifications",
        "PUT",
        {"subscriptions": []},
        {"subscriptions": [{"event": "error", "address": "a@example.com"}]},
    ),
    "variable": Thing("variables/region", "PUT", {"value": "eu"}, {"value": "us"}),
    "secret": Thing("variables/key", "PUT", {"value": "a", "secret": True}, {"value": "b", "secret": True}),
    "project": Thing("/v1/projects/demo", "PATCH", {"name": "Demo"}, {"name": "Other"}),
    "token": Thing("tokens/{token}", "PATCH", {"name": "robot"}, {"name": "other"}),
    "own token": Thing(f"{DAILY}/token", "PUT", {"components": ["*"]}, {"components": ["orchestrator"]}),
    "member": Thing("members/{person}", "PUT", {"role": "viewer"}, {"role": "editor"}),
    "account": Thing("/v1/people/{person}", "PATCH", {"name": "Ada"}, {"name": "Ada Lovelace"}),
}
every = pytest.mark.parametrize("name", THINGS)
DELETABLE = ("configuration", "orchestration", "schedule", "trigger", "variable", "token", "member")
CREATABLE = ("component", "configuration", "orchestration", "schedule", "trigger", "variable")


async def make(client: Client, name: str) -> str:
    """Make the thing in its first state; returns its path."""
    thing, ids = THINGS[name], {}
    if name == "token":
        ids["token"] = (await client.post("tokens", {"name": "robot", "scopes": ["read"]}))["id"]
    elif name in ("member", "account"):
        invited = await client.post("members", {"email": "ada@example.com", "name": "Ada", "role": "viewer"})
        ids["person"] = invited["person_id"]
    path = thing.path.format_map(ids)
    if not ids:
        await client.call(thing.method, path, thing.body)
    return path


async def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    url = path if path.startswith("/") else f"/v1/projects/demo/{path}"
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given["X-Request-Id"] = "of-every-request"  # in problems, which are compared
    return await client.http.request(method, url, json=body, headers=given)


@every
async def test_a_change_says_what_it_has_seen(furnished: Client, name: str) -> None:
    """Without a tag 428, with an old one 412 that tells whose change it was, and when."""
    thing, path = THINGS[name], await make(furnished, name)
    seen = await send(furnished, "GET", path)
    tag = seen.headers["ETag"]
    assert seen.json()["etag"] == tag
    assert (await send(furnished, "GET", path)).headers["ETag"] == tag

    missing = await send(furnished, thing.method, path, thing.other)
    assert missing.status_code == 428
    assert missing.json()["errors"][0]["field"] == "If-Match"
    assert (await send(furnished, "GET", path)).headers["ETag"] == tag

    saved = await send(furnished, thing.method, path, thing.other, If_Match=tag)
    assert saved.status_code == 200, saved.text
    now = (await send(furnished, "GET", path)).headers["ETag"]
    assert saved.headers["ETag"] == saved.json()["etag"] == now != tag

    stale = await send(furnished, thing.method, path, thing.body, If_Match=tag)
    assert stale.status_code == 412
    assert stale.headers["ETag"] == now
    problem = stale.json()
    assert problem["change"]["by"] == "admin@example.com"
    assert problem["change"]["how"] == "changed"
    for part in ("admin@example.com", problem["change"]["at"], "reload it and apply your change again"):
        assert part in problem["detail"]
    assert (await send(furnished, "GET", path)).headers["ETag"] == now

    weak = await send(furnished, thing.method, path, thing.body, If_Match=f"W/{now}")
    assert (weak.status_code, "weak" in weak.text) == (412, True)
    assert (await send(furnished, thing.method, path, thing.body, If_Match="abc")).status_code == 422
    several = await send(furnished, thing.method, path, thing.body, If_Match=f'"other", {now}')
    assert several.status_code == 200
    whatever = await send(furnished, thing.method, path, thing.other, If_Match="*")
    assert whatever.status_code == 200


@every
async def test_saving_the_same_again_keeps_the_tag(furnished: Client, name: str) -> None:
    thing, path = THINGS[name], await make(furnished, name)
    tag = (await send(furnished, "GET", path)).headers["ETag"]
    again = await send(furnished, thing.method, path, thing.body, If_Match=tag)
    assert (again.status_code, again.headers["ETag"]) == (200, tag)


@pytest.mark.parametrize("name", DELETABLE)
async def test_a_deletion_says_what_it_has_seen(furnished: Client, name: str) -> None:
    thing, path = THINGS[name], await make(furnished, name)
    if name == "configuration":
        await furnished.put(DAILY, orchestration("two"))
    tag = (await send(furnished, "GET", path)).headers["ETag"]
    await furnished.call(thing.method, path, thing.other)
    now = (await send(furnished, "GET", path)).headers["ETag"]
    assert (await send(furnished, "DELETE", path)).status_code == 428
    assert (await send(furnished, "DELETE", path, If_Match=tag)).status_code == 412
    assert (await send(furnished, "GET", path)).headers["ETag"] == now
    assert (await send(furnished, "DELETE", path, If_Match=now)).status_code == 204
    if name == "token":
        assert (await send(furnished, "DELETE", path, If_Match=now)).status_code == 412
        return
    again = await send(furnished, "DELETE", path, If_Match=now)
    never = await send(furnished, "DELETE", path)
    assert again.status_code == never.status_code == 404
    assert {**again.json(), "request_id": ""} == {**never.json(), "request_id": ""}


@pytest.mark.parametrize("name", CREATABLE)
async def test_created_only_if_it_does_not_exist(furnished: Client, name: str) -> None:
    thing = THINGS[name]
    path = {
        "component": "/v1/components/another",
        "configuration": "configurations/demo-extractor/three",
        "orchestration": "orchestrations/weekly",
    }.get(name, thing.path)
    ghost = await send(furnished, "PUT", path, thing.body, If_Match='"seen"')
    assert ghost.status_code == 412
    assert "does not exist" in ghost.json()["detail"]
    assert (await send(furnished, "PUT", path, thing.body, If_Match="*")).status_code == 412
    created = await send(furnished, "PUT", path, thing.body, If_None_Match="*")
    assert created.status_code == 201, created.text
    assert created.headers["ETag"] == created.json()["etag"]
    exists = await send(furnished, "PUT", path, thing.other, If_None_Match="*")
    assert exists.status_code == 412
    assert "already exists" in exists.json()["detail"]
    assert exists.json()["change"]["by"] == "admin@example.com"
    if name == "component":
        return
    await send(furnished, "DELETE", path, If_Match="*")
    gone = await send(furnished, "PUT", path, thing.body, If_Match=created.headers["ETag"])
    assert gone.status_code == 412
    assert "admin@example.com deleted" in gone.json()["detail"]
    assert (await send(furnished, "PUT", path, thing.body)).status_code == 201


@pytest.mark.parametrize("name", ["schedule", "trigger", "variable"])
async def test_what_was_made_anew_is_not_what_was_seen(furnished: Client, name: str) -> None:
    thing, path = THINGS[name], await make(furnished, name)
    tag = (await send(furnished, "GET", path)).headers["ETag"]
    await furnished.delete(path)
    await furnished.call(thing.method, path, thing.body)
    assert (await send(furnished, "DELETE", path, If_Match=tag)).status_code == 412


@pytest.mark.parametrize("path", [DAILY, f"{DAILY}/schedules/s", f"{DAILY}/triggers/t"])
async def test_a_switch_says_what_it_has_seen(furnished: Client, path: str) -> None:
    await make(furnished, "schedule")
    await make(furnished, "trigger")
    tag = (await send(furnished, "GET", path)).headers["ETag"]
    off = {"enabled": False}
    assert (await send(furnished, "PATCH", path, off)).status_code == 428
    switched = await send(furnished, "PATCH", path, off, If_Match=tag)
    assert (switched.status_code, switched.headers["ETag"] != tag) == (200, True)
    assert (await send(furnished, "PATCH", path, off, If_Match=tag)).status_code == 412


async def test_switching_an_orchestration_keeps_the_tags_of_its_parts(furnished: Client) -> None:
    """Whoever edits a schedule meanwhile has nothing to reload."""
    paths = [await make(furnished, name) for name in ("schedule", "trigger")]
    before = [(await send(furnished, "GET", path)).headers["ETag"] for path in paths]
    await furnished.call("PATCH", DAILY, {"enabled": False})
    assert [(await send(furnished, "GET", path)).headers["ETag"] for path in paths] == before


async def test_lists_tell_the_same_tags(furnished: Client) -> None:
    for name in ("schedule", "trigger", "variable", "token", "member"):
        await make(furnished, name)
    lists = ("/v1/components", "configurations", "orchestrations", f"{DAILY}/schedules", f"{DAILY}/triggers")
    for path in (*lists, "variables", "tokens", "members", "/v1/projects", "/v1/people"):
        for item in (await furnished.get(path))["items"]:
            ids = [item[key] for key in ("component", "person_id", "id", "name") if key in item]
            parent = "configurations" if path == "configurations" else path
            one = f"{parent}/{ids[0]}/{item['id']}" if path == "configurations" else f"{parent}/{ids[0]}"
            if path.startswith(DAILY):
                one = f"{path}/{item['name']}"
            assert (await furnished.get(one))["etag"] == item["etag"], path


@pytest.mark.parametrize(
    "name", ["configuration", "orchestration", "schedule", "trigger", "variable", "project"]
)
async def test_of_many_who_saw_the_same_one_saves(furnished: Client, name: str) -> None:
    thing, path = THINGS[name], await make(furnished, name)
    tag = (await send(furnished, "GET", path)).headers["ETag"]
    bodies = [thing.other, *({**thing.other, "description": str(n)} for n in range(3))]
    if name not in ("configuration", "orchestration"):
        bodies = [thing.other] * 4
    answers = await asyncio.gather(
        *(send(furnished, thing.method, path, body, If_Match=tag) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


@pytest.mark.parametrize("name", CREATABLE)
async def test_of_many_who_create_the_same_one_does(furnished: Client, name: str) -> None:
    thing = THINGS[name]
    path = thing.path.replace("/one", "/new").replace("daily", "new").replace("demo-extractor", "new")
    if name in ("schedule", "trigger"):
        path = thing.path
    elif name == "configuration":
        path = "configurations/demo-extractor/new"
    answers = await asyncio.gather(
        *(send(furnished, "PUT", path, thing.body, If_None_Match="*") for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]


async def test_a_change_of_the_previous_release_is_seen(furnished: Client, database: Database) -> None:
    """Its replicas know no tags; what they save has another one all the same."""
    await make(furnished, "variable")
    await make(furnished, "schedule")
    statements = {
        "variables/region": "UPDATE catalog.variables SET value = 'x', updated_at = clock_timestamp()",
        "configurations/demo-extractor/one": "UPDATE catalog.configurations SET description = 'x'",
        f"{DAILY}/schedules/s": "UPDATE catalog.schedules SET enabled = false, version = version + 1",
        "/v1/projects/demo": "UPDATE catalog.projects SET parallel_limit = 7",
    }
    for path, statement in statements.items():
        tag = (await send(furnished, "GET", path)).headers["ETag"]
        await database.execute(statement)
        assert (await send(furnished, "GET", path)).headers["ETag"] != tag, path
        stale = await send(furnished, "DELETE", path, If_Match=tag)
        if "projects/demo" not in path:
            assert stale.status_code == 412
            assert "change" in stale.json() or "someone changed" in stale.json()["detail"]


async def test_a_tag_does_not_confirm_a_guessed_secret(furnished: Client, database: Database) -> None:
    path = await make(furnished, "secret")
    tag = (await furnished.get(path))["etag"]
    await database.execute("UPDATE catalog.variables SET value = value || 'x' WHERE name = 'key'")
    assert (await furnished.get(path))["etag"] == tag, "it is of the time of the change, not of the value"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for item in json.loads(description())["paths"].values():
        for method, operation in item.items():
            yield operation["operationId"], method, operation


def test_every_change_is_conditional_and_described() -> None:
    """A new operation that changes or deletes something takes If-Match, or says here why not."""
    plain = set()
    for name, method, operation in operations():
        if method in ("put", "patch", "delete"):
            headers = {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}
            if not {"If-Match", "If-None-Match"} <= headers:
                plain.add(name)
                continue
            assert {"412", "428"} <= operation["responses"].keys(), name
            if method != "delete":
                assert "ETag" in operation["responses"]["200"]["headers"], name
    assert plain == UNCONDITIONAL.keys()


def test_whatever_is_answered_with_a_tag_says_so() -> None:
    schemas = json.loads(description())["components"]["schemas"]
    for name, method, operation in operations():
        if name in ("group_tasks", "arrange_tasks", "preview_draft", "refresh_token"):
            continue  # a tag in the body only: that of what it is about
        for status, response in operation["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            model = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
            if status.startswith("2") and "etag" in model.get("properties", {}):
                assert "ETag" in response.get("headers", {}), (name, method, status)
