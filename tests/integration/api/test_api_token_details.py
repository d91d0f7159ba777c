"""Tokens that publish to some buckets only, and what people see, change and refresh of a token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.integration.api.conftest import ADMIN_EMAIL, Client, RunningApi, said
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.security import hash_token

UPDATES = {"updates": [{"table": "in.c-a.x"}, {"table": "in.c-b.x"}]}


@asynccontextmanager
async def bearer_of(api: RunningApi, text: str) -> AsyncIterator[Client]:
    async with api.http(text) as http:
        yield Client(http)


async def made(admin: Client, **wish: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await admin.post("tokens", {"name": "test", **wish}, status=201)
    return answer


async def test_publish_is_for_the_listed_buckets(api: RunningApi, admin: Client, broker: BrokerVhost) -> None:
    token = await made(admin, scopes=["publish"], buckets=["in.c-a", "in.c-a.deep"])
    async with bearer_of(api, token["token"]) as client:
        await client.post("table-updates", {"table": "in.c-a.x"}, status=202)
        await client.post("table-updates", {"table": "in.c-a.deep.x"}, status=202)
        problem = await client.post("table-updates", {"table": "in.c-a.other.x"}, status=403)
        assert "'in.c-a.other'" in problem["detail"]
        assert "use a token whose buckets include it" in problem["detail"]
        problem = await client.post("table-updates", UPDATES, status=403)
        assert [error["field"] for error in problem["errors"]] == ["updates.1.table"]
    heard = await said(broker, "trigger-watcher.updates", 2)
    assert [each["data"]["table"] for each in heard] == ["in.c-a.x", "in.c-a.deep.x"], "nothing of the batch"


async def test_every_bucket(api: RunningApi, admin: Client) -> None:
    token = await made(admin, scopes=["publish"], buckets=["*"])
    async with bearer_of(api, token["token"]) as client:
        await client.post("table-updates", UPDATES, status=202)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"scopes": ["publish"]}, "buckets"),
        ({"scopes": ["read"], "buckets": ["in.c-a"]}, "buckets"),
        ({"scopes": ["publish"], "buckets": ["in..a"]}, "buckets.0"),
        ({"scopes": ["publish"], "buckets": ["in.c-*"]}, "buckets.0"),
    ],
)
async def test_buckets_belong_to_publish(admin: Client, wish: dict[str, Any], field: str) -> None:
    problem = await admin.post("tokens", {"name": "test", **wish}, status=422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_token_of_the_previous_release_publishes_to_every_bucket(
    api: RunningApi, admin: Client, database: Database
) -> None:
    """As the previous release's code writes one, also while it still runs beside this one."""
    await database.execute(
        "INSERT INTO catalog.tokens (id, project, kind, name, secret_hash, scopes, components)"
        " VALUES (gen_random_uuid(), 'demo', 'api', 'old', $1, '{run,tables}', '{}')",
        hash_token("orc_old"),
    )
    async with bearer_of(api, "orc_old") as client:
        await client.post("table-updates", UPDATES, status=202)
    (listed,) = (await admin.get("tokens"))["items"]
    assert (listed["scopes"], listed["buckets"]) == (["run", "publish"], ["*"])
    assert (listed["prefix"], listed["created_by"], listed["description"]) == (None, None, "")
    token = await made(admin, scopes=["read", "tables"])
    assert (token["scopes"], token["buckets"]) == (["publish", "read"], ["*"])


async def test_a_token_tells_whose_it_is_and_what_for(admin: Client) -> None:
    token = await made(admin, scopes=["read"], description="reports", expires_at="2099-01-01T00:00:00Z")
    shown = await admin.get(f"tokens/{token['id']}")
    assert shown == {key: value for key, value in token.items() if key != "token"}
    assert token["token"].startswith(f"{shown['prefix']}_")
    assert len(shown["prefix"]) == len("orc_ab12cd34")
    assert (shown["description"], shown["created_by"]) == ("reports", ADMIN_EMAIL)
    assert shown["expires_at"] == "2099-01-01T00:00:00Z"
    (own,) = (await admin.get("/v1/tokens"))["items"]
    assert (own["created_by"], own["expires_at"]) == ("start of the api", None)
    assert await admin.get(f"/v1/tokens/{own['id']}") == own
    await admin.get(f"/v1/tokens/{token['id']}", status=404)


async def test_name_description_and_expiry_can_be_changed(
    api: RunningApi, admin: Client, database: Database
) -> None:
    token = await made(admin, scopes=["read"], expires_at="2099-01-01T00:00:00Z")
    path = f"tokens/{token['id']}"

    async def changed(**body: Any) -> list[Any]:
        answer = await admin.call("PATCH", path, body, status=200)
        return [answer[field] for field in ("name", "description", "expires_at")]

    assert await changed(description="why") == ["test", "why", "2099-01-01T00:00:00Z"]
    assert await changed(name="new") == ["new", "why", "2099-01-01T00:00:00Z"]
    assert await changed(expires_at=None) == ["new", "why", None]
    assert await changed(expires_at="2098-01-01T00:00:00Z") == ["new", "why", "2098-01-01T00:00:00Z"]
    assert await changed() == ["new", "why", "2098-01-01T00:00:00Z"]
    await admin.call("PATCH", path, {"expires_at": "2020-01-01T00:00:00Z"}, status=422)
    await admin.call("PATCH", path, {"scopes": ["run"]}, status=422)
    found = await database.fetch(
        "SELECT detail #>> '{fields,0}' AS field FROM catalog.audit"
        " WHERE action = 'token.changed' ORDER BY at"
    )
    assert [row["field"] for row in found] == ["description", "name", "expires_at", "expires_at"]
    await database.execute("UPDATE catalog.tokens SET expires_at = now() WHERE name = 'new'")
    async with bearer_of(api, token["token"]) as client:
        await client.get("jobs", status=401)
        await changed(expires_at=None)
        await client.get("jobs", status=200)


async def test_a_refreshed_token_has_another_text(api: RunningApi, admin: Client) -> None:
    token = await made(admin, scopes=["read"])
    fresh = await admin.post(f"tokens/{token['id']}/refresh", status=200)
    assert fresh["token"].startswith(fresh["prefix"])
    assert {**fresh, "token": "", "prefix": ""} == {**token, "token": "", "prefix": ""}
    async with bearer_of(api, token["token"]) as old, bearer_of(api, fresh["token"]) as new:
        await old.get("jobs", status=401)
        await new.get("jobs", status=200)
    await admin.delete(f"tokens/{token['id']}", status=204)
    await admin.post(f"tokens/{token['id']}/refresh", status=409)


async def test_general_calls_send_you_to_the_orchestration(furnished: Client) -> None:
    own = await furnished.get("orchestrations/daily/token")
    assert (sorted(own["scopes"]), own["buckets"], own["created_by"]) == (
        ["publish", "read", "run"],
        ["*"],
        ADMIN_EMAIL,
    )
    call = "POST /v1/projects/demo/orchestrations/daily/token/refresh"
    problem = await furnished.delete(f"tokens/{own['id']}", status=409)
    assert call in problem["detail"]
    problem = await furnished.post(f"tokens/{own['id']}/refresh", status=409)
    assert call in problem["detail"]
    await furnished.call("PATCH", f"tokens/{own['id']}", {"name": "mine"}, status=409)


async def test_tokens_of_another_project_are_not_there(furnished: Client) -> None:
    await furnished.post("/v1/projects", {"id": "other"}, status=201)
    token = await made(furnished, scopes=["read"])
    other = Client(furnished.http, "other")
    await other.get(f"tokens/{token['id']}", status=404)
    await other.call("PATCH", f"tokens/{token['id']}", {"name": "x"}, status=404)
    await other.post(f"tokens/{token['id']}/refresh", status=404)
    await other.delete(f"tokens/{token['id']}", status=404)
