"""Projects, components, configurations, orchestrations, runs and jobs over HTTP."""

import asyncio
import base64
import json
from typing import Any

from tests.integration.api.conftest import KEY, Client, orchestration
from tests.support.databases import Database
from tests.support.waiting import eventually

from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption


async def test_a_project_is_created_once(admin: Client) -> None:
    made = await admin.get("/v1/projects/demo")
    assert (made["id"], made["name"], made["parallel_limit"]) == ("demo", "Demo", None)
    problem = await admin.post("/v1/projects", {"id": "demo"}, status=409)
    assert problem["errors"][0]["field"] == "id"


async def test_same_component_again_changes_nothing(furnished: Client, database: Database) -> None:
    from tests.integration.api.conftest import COMPONENT

    await furnished.put("/v1/components/demo-extractor", COMPONENT, status=200)
    count = await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action LIKE 'component.%'")
    assert count == 1


async def test_configuration_gets_versions_only_for_differences(furnished: Client) -> None:
    path = "configurations/demo-extractor/one"
    again = await furnished.put(path, {"parameters": {"rows": 1}}, status=200)
    assert (again["version"], again["changed"]) == (1, False)
    more = await furnished.put(path, {"parameters": {"rows": 2}, "note": "more"}, status=200)
    assert (more["version"], more["changed"], more["note"]) == (2, True, "more")
    versions = (await furnished.get(f"{path}/versions"))["items"]
    assert [(v["version"], v["parameters"]) for v in versions] == [(2, {"rows": 2}), (1, {"rows": 1})]


async def test_secret_is_encrypted_masked_and_kept(furnished: Client, database: Database) -> None:
    path = "configurations/demo-extractor/one"
    saved = await furnished.put(path, {"parameters": {"rows": 1, "#password": "hunter2"}})
    assert saved["parameters"]["#password"] == "***"
    stored = await database.fetch(
        "SELECT parameters::text FROM catalog.configuration_versions ORDER BY created_at DESC LIMIT 1"
    )
    assert "hunter2" not in stored[0][0]
    assert "enc:v2:" in stored[0][0]
    kept = await furnished.put(path, {"parameters": {"rows": 1, "#password": "***"}})
    assert kept["changed"] is False
    moved = await furnished.put(path, {"parameters": {"rows": 2, "#password": "***"}})
    assert moved["changed"] is True
    problem = await furnished.put(
        "configurations/demo-extractor/new", {"parameters": {"#password": "***"}}, status=422
    )
    assert problem["errors"][0]["field"] == "parameters.#password"


async def test_a_mask_stands_for_the_secret_that_another_save_is_writing(
    furnished: Client, database: Database
) -> None:
    path, masked = "configurations/demo-extractor/one", {"parameters": {"rows": 1, "#password": "***"}}
    await furnished.put(path, {"parameters": {"rows": 1, "#password": "first"}})
    newer = Encryption([base64.b64decode(KEY)]).encrypt_value(
        "second", of_parameters("demo", "demo-extractor", "one")
    )

    async def is_held_up() -> bool:
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        held += " AND wait_event_type = 'Lock'"
        return bool(await database.fetchval(held))

    async with database.connection() as other, other.transaction():
        await other.execute("UPDATE catalog.configurations SET version = 3 WHERE id = 'one'")
        await other.execute(
            "INSERT INTO catalog.configuration_versions"
            " (project, component, configuration, version, parameters, author)"
            " VALUES ('demo', 'demo-extractor', 'one', 3, $1, 'other')",
            json.dumps({"rows": 1, "#password": newer}),
        )
        save = asyncio.create_task(furnished.put(path, masked))
        await eventually(is_held_up)
    saved = await save
    assert (saved["version"], saved["changed"]) == (3, False)


async def test_parameters_are_checked_against_the_schema(furnished: Client) -> None:
    wrong = {"parameters": {"rows": "many", "colour": "red"}}
    problem = await furnished.put("configurations/demo-extractor/one", wrong, status=422)
    assert {error["field"] for error in problem["errors"]} == {"parameters.rows", "parameters"}
    assert "many" not in str(problem)


async def test_orchestration_defaults_token_and_subscription(furnished: Client) -> None:
    shown = await furnished.get("orchestrations/daily")
    task: dict[str, Any] = shown["phases"][0]["tasks"][0]
    assert task["id"] == "demo-extractor/one"
    assert (task["enabled"], task["timeout_seconds"], task["attempts"]) == (True, 86400, 1)
    (subscription,) = shown["notifications"]
    assert (subscription["event"], subscription["address"]) == ("error", "admin@example.com")
    token = await furnished.get("orchestrations/daily/token")
    assert token["kind"] == "orchestration"
    assert "token" not in token
    again = await furnished.put("orchestrations/daily", orchestration("one", "two"), status=200)
    assert (again["version"], again["changed"]) == (1, False)


async def test_empty_orchestration_is_saved_but_not_run(furnished: Client) -> None:
    saved = await furnished.put("orchestrations/empty", {"phases": [{"name": "nothing"}]}, status=201)
    assert saved["phases"] == []
    problem = await furnished.post("orchestrations/empty/runs", status=422)
    assert "has no tasks" in problem["detail"]


async def test_unknown_tasks_are_named(furnished: Client) -> None:
    problem = await furnished.post("orchestrations/daily/runs", {"tasks": ["nope"]}, status=422)
    assert problem["errors"][0]["field"] == "tasks.0"
    assert "'nope'" in problem["detail"]


async def test_unknown_targets_are_named(furnished: Client) -> None:
    phases = [{"tasks": [{"component": "ghost", "configuration": "one"}]}]
    problem = await furnished.put("orchestrations/bad", {"phases": phases}, status=422)
    assert problem["errors"][0] == {
        "field": "phases.0.tasks.0.component",
        "detail": "there is no component 'ghost'",
    }
    problem = await furnished.put("orchestrations/bad", orchestration("one", "ghost"), status=422)
    assert problem["errors"][0]["field"] == "phases.1.tasks.0.configuration"
    await furnished.get("orchestrations/bad", status=404)


async def test_a_run_is_visible_at_once_and_requested_once(furnished: Client, database: Database) -> None:
    accepted = await furnished.post("orchestrations/daily/runs")
    job = await furnished.get(f"jobs/{accepted['job_id']}")
    assert (job["status"], job["number"], job["origin"]) == ("created", None, "manual")
    assert [j["id"] for j in (await furnished.get("jobs"))["items"]] == [accepted["job_id"]]
    wish = {"tasks": ["demo-extractor/one"]}
    answers = [await furnished.post("orchestrations/daily/runs", wish, key="first") for _ in range(2)]
    assert answers[0] == answers[1]
    other = {"tasks": ["demo-extractor/two"]}
    problem = await furnished.post("orchestrations/daily/runs", other, status=422, key="first")
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 2
    assert await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action = 'run.requested'") == 2


async def test_disabled_orchestration_wants_a_confirmation(furnished: Client) -> None:
    await furnished.put("orchestrations/daily", orchestration("one", enabled=False))
    problem = await furnished.post("orchestrations/daily/runs", status=409)
    assert problem["errors"][0]["field"] == "confirm"
    await furnished.post("orchestrations/daily/runs", {"confirm": True}, status=202)


async def test_cycle_is_refused_by_name(furnished: Client) -> None:
    def nested(name: str) -> dict[str, Any]:
        return {"phases": [{"tasks": [{"component": "orchestrator", "configuration": name}]}]}

    await furnished.put("orchestrations/middle", nested("daily"))
    await furnished.put("orchestrations/top", nested("middle"))
    problem = await furnished.put("orchestrations/daily", nested("top"), status=422)
    assert "daily → top → middle → daily" in problem["detail"]
    itself = await furnished.put("orchestrations/self", nested("self"), status=422)
    assert "self → self" in itself["detail"]


async def test_configuration_in_use_is_not_deleted(furnished: Client) -> None:
    problem = await furnished.delete("configurations/demo-extractor/one", status=409)
    assert "daily" in problem["detail"]
    await furnished.delete("orchestrations/daily", status=204)
    await furnished.delete("configurations/demo-extractor/one", status=204)
    await furnished.get("configurations/demo-extractor/one", status=404)
    restored = await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 3}})
    assert (restored["version"], restored["changed"]) == (2, True)
