"""Who may do what: the administrator, project tokens, scopes, lists of components."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.api.conftest import (
    ADMIN_EMAIL,
    ADMIN_TOKEN,
    Client,
    RunningApi,
    orchestration,
    running,
)
from tests.support.databases import Database

from orchestrator_api.access.administrator import ensure_administrator
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.database.pool import database as open_database
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.outbox import Outbox


@asynccontextmanager
async def bearer(api: RunningApi, admin: Client, **wish: Any) -> AsyncIterator[Client]:
    made = await admin.post("tokens", {"name": "test", **wish}, status=201)
    async with api.http(made["token"]) as http:
        yield Client(http)


async def test_racing_replicas_make_one_administrator(settings: ApiSettings, database: Database) -> None:
    async with (
        open_database(settings, application_name="test") as pool,
        Broker.open(settings.amqp_url, name="test") as broker,
    ):
        outbox = Outbox(schema="catalog", source="/api", pool=pool, publisher=broker.publisher)
        calls = [ensure_administrator(outbox, ADMIN_EMAIL, ADMIN_TOKEN) for _ in range(8)]
        await asyncio.gather(*calls)
        await ensure_administrator(outbox, "other@example.com", "y" * 40)
        await ensure_administrator(outbox, ADMIN_EMAIL.upper(), "z" * 40)
    assert await database.fetchval("SELECT count(*) FROM catalog.people") == 1
    assert await database.fetchval("SELECT count(*) FROM catalog.tokens") == 2


async def test_second_start_changes_nothing(settings: ApiSettings, database: Database) -> None:
    for _ in range(2):
        async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
            assert (await http.get("/v1/projects")).status_code == 200
    assert await database.fetchval("SELECT count(*) FROM catalog.tokens") == 1


async def test_another_tokens_project_does_not_exist(api: RunningApi, furnished: Client) -> None:
    await furnished.post("/v1/projects", {"id": "other"})
    async with bearer(api, furnished, scopes=["read", "configure", "run", "tables"]) as client:
        for project in ("other", "ghost"):
            foreign = Client(client.http, project)
            problem = await foreign.get("jobs", status=404)
            assert problem["detail"] == f"there is no project {project!r}"
            await foreign.post("table-updates", {"table": "in.c-x.t"}, status=404)
        assert [p["id"] for p in (await client.get("/v1/projects"))["items"]] == ["demo"]
        await client.post("/v1/projects", {"id": "mine"}, status=403)
        await client.put("/v1/components/x", {"type": "writer", "command": ["x"]}, status=403)
        await client.get("tokens", status=403)
        await client.get("/v1/dead-letters", status=403)


async def test_scopes_are_kept(api: RunningApi, furnished: Client) -> None:
    async with bearer(api, furnished, scopes=["read"]) as client:
        await client.get("orchestrations/daily")
        problem = await client.post("orchestrations/daily/runs", status=403)
        assert "'run'" in problem["detail"]
        await client.put("orchestrations/daily", orchestration("one"), status=403)
        await client.post("table-updates", {"table": "in.c-x.t"}, status=403)
    async with bearer(api, furnished, scopes=["tables"]) as client:
        await client.post("table-updates", {"table": "in.c-x.t"}, status=202)
        await client.get("jobs", status=403)


async def test_run_token_with_an_empty_list_starts_orchestrations_only(
    api: RunningApi, furnished: Client
) -> None:
    async with bearer(api, furnished, scopes=["run"]) as client:
        accepted = await client.post("orchestrations/daily/runs", status=202)
        job = await client.get(f"jobs/{accepted['job_id']}")
        assert (job["origin"], job["requested_by"]) == ("api", "token test")
        assert job["id"] == accepted["job_id"]
        await client.post("configurations/demo-extractor/one/runs", status=403)
    async with bearer(api, furnished, scopes=["run"], components=["demo-extractor"]) as client:
        await client.post("configurations/demo-extractor/one/runs", status=202)
        await client.post("orchestrations/daily/runs", status=403)
    async with bearer(api, furnished, scopes=["run"], components=["orchestrator"]) as client:
        await client.post("orchestrations/daily/runs", status=202)
    async with bearer(api, furnished, scopes=["run"], components=["*"]) as client:
        await client.post("configurations/demo-extractor/one/runs", status=202)
        await client.post("orchestrations/daily/runs", status=202)


async def test_a_token_may_be_for_single_orchestrations_and_configurations(
    api: RunningApi, furnished: Client
) -> None:
    await furnished.put("orchestrations/weekly", orchestration("one"), status=201)
    for name in ("daily", "weekly"):
        await furnished.put(f"orchestrations/{name}/schedules/main", {"cron": "0 5 * * *"}, status=201)
    weekly = (await furnished.get("orchestrations/weekly/schedules/main"))["id"]
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    chosen = ["orchestrator/daily", "demo-extractor/one"]
    async with bearer(api, furnished, scopes=["run", "configure"], components=chosen) as client:
        await client.post("orchestrations/daily/runs", status=202)
        await client.post("configurations/demo-extractor/one/runs", status=202)
        await client.post("configurations/demo-extractor/two/runs", status=403)
        problem = await client.post("orchestrations/weekly/runs", status=403)
        assert "may not run orchestrator/weekly" in problem["detail"]
        await client.post("backfills", {"orchestration": "daily", "schedule": "main", **period}, status=202)
        for named in ({"orchestration": "weekly", "schedule": "main"}, {"schedule_id": weekly}):
            await client.post("backfills", {**named, **period}, status=403)
        await client.put("orchestrations/daily", orchestration("one"), status=403)
        await client.put("configurations/demo-extractor/one", {"parameters": {"rows": 5}}, status=403)
    await furnished.put("orchestrations/daily/token", {"components": chosen}, status=422)


async def test_saving_a_task_needs_the_right_to_run_its_component(api: RunningApi, furnished: Client) -> None:
    async with bearer(api, furnished, scopes=["configure"]) as client:
        problem = await client.put("orchestrations/mine", orchestration("one"), status=403)
        assert "'orchestrator'" in problem["detail"]
        await client.put("orchestrations/mine", {"phases": []}, status=403)
    both = ["demo-extractor", "orchestrator"]
    async with bearer(api, furnished, scopes=["configure"], components=both) as client:
        await client.put("orchestrations/mine", orchestration("one"), status=201)


async def test_revoked_and_expired_tokens_are_refused(
    api: RunningApi, furnished: Client, database: Database
) -> None:
    made = await furnished.post("tokens", {"name": "short", "scopes": ["read"]})
    async with api.http(made["token"]) as http:
        client = Client(http)
        await client.get("jobs")
        await furnished.delete(f"tokens/{made['id']}", status=204)
        assert "revoked" in (await client.get("jobs", status=401))["detail"]
    past = {"name": "past", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    await furnished.post("tokens", past, status=422)
    made = await furnished.post("tokens", {"name": "soon", "scopes": ["read"]})
    await database.execute("UPDATE catalog.tokens SET expires_at = now() WHERE name = 'soon'")
    async with api.http(made["token"]) as http:
        assert "expired" in (await Client(http).get("jobs", status=401))["detail"]


async def test_secret_is_stored_as_a_hash_and_shown_once(furnished: Client, database: Database) -> None:
    made = await furnished.post("tokens", {"name": "once", "scopes": ["read"]})
    listed = (await furnished.get("tokens"))["items"]
    assert all("token" not in token for token in listed)
    assert {token["kind"] for token in listed} == {"api", "orchestration"}
    for kind in ("api", "orchestration"):
        of_kind = (await furnished.get(f"tokens?kind={kind}"))["items"]
        assert of_kind == [token for token in listed if token["kind"] == kind]
    assert made["token"] not in str(await database.fetch("SELECT * FROM catalog.tokens"))
    own = next(token for token in listed if token["kind"] == "orchestration")
    await furnished.delete(f"tokens/{own['id']}", status=409)


async def test_refreshed_orchestration_token_has_another_secret(
    furnished: Client, database: Database
) -> None:
    query = "SELECT secret_hash FROM catalog.tokens WHERE kind = 'orchestration'"
    before = await database.fetchval(query)
    await furnished.post("orchestrations/daily/token/refresh", status=204)
    assert await database.fetchval(query) != before


async def test_last_use_is_written_at_most_once_a_minute(furnished: Client, database: Database) -> None:
    query = "SELECT last_used_at, xmin::text FROM catalog.tokens WHERE kind = 'person'"
    await furnished.get("jobs")
    before = (await database.fetch(query))[0]
    await asyncio.gather(*(furnished.get("jobs") for _ in range(5)))
    assert (await database.fetch(query))[0] == before
    assert before["last_used_at"] is not None
