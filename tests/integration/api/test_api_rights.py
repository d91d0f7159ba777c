"""Issue 8, 1 to 3: a token starts what is defined, sees its own runs, and configures what it may run."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.api.conftest import Client, RunningApi, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_api_retries import failed_run
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database

OTHER = {"type": "transformation", "command": ["x"], "parameters": {"type": "object"}}
ONE = "demo-extractor/one"
RUN = "orchestrations/daily/runs"


@pytest.fixture
async def mixed(furnished: Client) -> Client:
    """`daily` runs one, and two that is not active; `whole` runs daily and SQL."""
    await furnished.put("/v1/components/sql", OTHER, status=201)
    await furnished.put("configurations/sql/s1", {"parameters": {"statements": ["SELECT 1"]}}, status=201)
    phases = orchestration("one", "two")["phases"]
    phases[1]["tasks"][0]["enabled"] = False
    await furnished.put("orchestrations/daily", {"phases": phases}, status=200)
    whole = [
        {"id": "daily", "component": "orchestrator", "configuration": "daily"},
        {"component": "sql", "configuration": "s1"},
    ]
    await furnished.put("orchestrations/whole", {"phases": [{"tasks": whole}]}, status=201)
    return furnished


@pytest.mark.parametrize(
    ("orchestration_id", "wish", "field"),
    [
        ("whole", {"parameters": {"sql/s1": {"statements": ["DROP TABLE x"]}}}, "parameters"),
        ("whole", {"parameters": {"daily": {ONE: {"rows": 9}}}}, "parameters"),
        ("whole", {"parameters": {"ghost": {}}}, "parameters"),
        ("daily", {"tasks": ["demo-extractor/two"]}, "tasks"),
        ("daily", {"version": 1}, "version"),
        ("daily", {"version": 77}, "version"),
    ],
)
async def test_1_a_run_token_starts_only_what_is_defined(
    api: RunningApi, mixed: Client, database: Database, orchestration_id: str, wish: Any, field: str
) -> None:
    async with bearer(api, mixed, scopes=["run"]) as robot:
        problem = await robot.post(f"orchestrations/{orchestration_id}/runs", wish, status=403)
    assert problem["errors"][0]["field"] == field
    assert "start what is defined" in problem["detail"]
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 0


async def test_1_leaving_out_tasks_and_naming_the_current_version_are_free(
    api: RunningApi, mixed: Client
) -> None:
    async with bearer(api, mixed, scopes=["run"]) as robot:
        await robot.post("orchestrations/whole/runs", {"tasks": ["daily"], "version": 1}, status=202)
        await robot.post(RUN, {"tasks": [ONE], "scheduled_for": "2026-01-01T00:00:00Z"}, status=202)


@pytest.mark.parametrize("target", ["configurations/demo-extractor/one", "orchestrations/daily"])
async def test_1_a_configuration_alone_is_held_to_the_same_rule(
    api: RunningApi, mixed: Client, target: str
) -> None:
    await mixed.put("configurations/demo-extractor/one", {"parameters": {"rows": 2}}, status=200)
    parameters = {"rows": 9} if "one" in target else {ONE: {"rows": 9}}
    both = ["demo-extractor", "orchestrator"]
    async with bearer(api, mixed, scopes=["run"], components=["*"]) as robot:
        await robot.post(f"{target}/runs", {"parameters": parameters}, status=403)
        await robot.post(f"{target}/runs", {"version": 1}, status=403)
    async with bearer(api, mixed, scopes=["run", "configure"], components=both) as editor:
        await editor.post(f"{target}/runs", {"parameters": parameters}, status=202)
        await editor.post(f"{target}/runs", {"version": 1}, status=202)


async def test_1_overrides_need_every_component_that_they_reach(api: RunningApi, mixed: Client) -> None:
    nested = {"parameters": {"daily": {ONE: {"rows": 9}}}}
    direct = {"parameters": {"sql/s1": {"statements": ["SELECT 2"]}}}
    async with bearer(api, mixed, scopes=["run", "configure"], components=["orchestrator", "sql"]) as editor:
        await editor.post("orchestrations/whole/runs", direct, status=202)
        problem = await editor.post("orchestrations/whole/runs", nested, status=403)
        assert problem["errors"][0]["field"] == f"parameters.daily.{ONE}"
        # An old version has tasks of its own.
        await editor.post(RUN, {"version": 1}, status=403)
        tasks = [{"component": "orchestrator", "configuration": "daily", "parameters": nested}]
        tasks[0]["parameters"] = {"parameters": {ONE: {"rows": 9}}}
        await editor.put("orchestrations/mine", {"phases": [{"tasks": tasks}]}, status=403)
        tasks[0]["parameters"] = {"version": 1}
        await editor.put("orchestrations/mine", {"phases": [{"tasks": tasks}]}, status=403)
        tasks[0]["parameters"] = {}
        await editor.put("orchestrations/mine", {"phases": [{"tasks": tasks}]}, status=201)


async def test_1_retries_are_held_to_the_same_rule(
    api: RunningApi, mixed: Client, database: Database
) -> None:
    """A run as currently defined needs `run`; old versions, inactive tasks or parameters need more."""
    async with bearer(api, mixed, scopes=["run"]) as robot:
        started = UUID((await robot.post(RUN, status=202))["job_id"])
        run = await failed_run(database, id=started)
        plan = await robot.get(f"jobs/{run}/retry-plan")
        await robot.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
        wider = {"plan_id": plan["id"], "tasks": [ONE, "demo-extractor/two"]}
        assert (await robot.post(f"jobs/{run}/retries", wider, status=403))["errors"][0]["field"] == "tasks"
        await mixed.put("configurations/demo-extractor/one", {"parameters": {"rows": 2}}, status=200)
        old = await robot.get(f"jobs/{run}/retry-plan?version=original")
        problem = await robot.post(f"jobs/{run}/retries", {"plan_id": old["id"]}, status=403)
        assert problem["errors"][0]["field"] == "version"
        await database.execute(
            "UPDATE jobs.jobs SET parameters = $2 WHERE id = $1", run, json.dumps({ONE: {"rows": 9}})
        )
        now = await robot.get(f"jobs/{run}/retry-plan")
        problem = await robot.post(f"jobs/{run}/retries", {"plan_id": now["id"]}, status=403)
        assert problem["errors"][0]["field"] == "parameters"


async def test_2_run_does_not_imply_read(api: RunningApi, mixed: Client) -> None:
    await mixed.put("variables/warehouse", {"value": "secret", "secret": True})
    async with bearer(api, mixed, scopes=["run"]) as robot:
        for path in (
            "variables", "variables/warehouse", "configurations", "configurations/sql/s1", "orchestrations",
            "orchestrations/daily", "orchestrations/daily/versions", "orchestrations/daily/notifications",
            "orchestrations/daily/schedules", "orchestrations/daily/triggers", "tables", "deliveries",
            "definitions", "audit", "/v1/projects", "/v1/projects/demo", "/v1/components",
        ):  # fmt: skip
            await robot.get(path, status=403)


async def test_2_a_run_token_sees_status_and_tasks_of_its_runs_alone(
    api: RunningApi, mixed: Client, database: Database
) -> None:
    foreign = (await mixed.post(RUN, {"parameters": {ONE: {"rows": 3}}}))["job_id"]
    async with bearer(api, mixed, scopes=["run"]) as robot, bearer(api, mixed, scopes=["run"]) as stranger:
        accepted = await robot.post(RUN, status=202)
        own = accepted["job_id"]
        assert [job["id"] for job in (await robot.get("jobs"))["items"]] == [own]
        run = await failed_run(database, id=UUID(own))
        child = await Runner(database).job(
            "one", 5, "error", parent=run, parent_id=run, task_id=ONE, message="FATAL: password of db",
            parameters=json.dumps({"rows": 3}), output_tables=json.dumps([{"table": "in.c-x.t"}]),
        )  # fmt: skip
        await database.execute("UPDATE jobs.tasks SET job_id = $1 WHERE task_id = $2", child, ONE)
        for path in ("jobs", "orchestrations/daily/runs"):
            assert [job["id"] for job in (await robot.get(path))["items"]] == [own]
            assert (await stranger.get(path))["items"] == []
        for filters in (f"root={own}", f"parent={own}", f"root={own}&parent={own}"):
            found = (await robot.get(f"jobs?{filters}"))["items"]
            assert str(child) in [job["id"] for job in found]
            assert (await stranger.get(f"jobs?{filters}"))["items"] == []
        assert (await robot.get(f"jobs?root={foreign}"))["items"] == []
        assert (await robot.get(f"jobs?root={own}&parent={uuid4()}"))["items"] == []
        job = await robot.get(f"jobs/{child}")
        assert (job["status"], job["error_kind"], job["message"]) == ("error", "user", None)
        assert (job["parameters"], job["parameters_as_run"], job["output_tables"]) == ({}, None, [])
        tasks = [t for phase in (await robot.get(f"jobs/{own}/tasks"))["phases"] for t in phase["tasks"]]
        assert (tasks[0]["id"], tasks[0]["status"]) == (ONE, "error")
        assert "password" not in json.dumps(tasks)
        await robot.get(f"jobs/{child}/log", status=403)
        for job_id in (foreign, str(uuid4())):
            for suffix in ("", "/tasks", "/retry-plan"):
                problem = await robot.get(f"jobs/{job_id}{suffix}", status=404)
                assert problem["detail"] == f"there is no job {job_id} in this project"
            await robot.post(f"jobs/{job_id}/termination", status=403)
        await robot.post(f"jobs/{own}/termination", status=403)
        assert "password" in json.dumps(await mixed.get(f"jobs/{own}/tasks"))


async def test_3_saving_needs_the_right_to_run_the_component(api: RunningApi, mixed: Client) -> None:
    """Otherwise its schedule would run it with the orchestration's token, which may run everything."""
    body = {"parameters": {"statements": ["DROP TABLE x"]}}
    document = {"configuration": "sql/s1", **body}
    schedule = ("orchestrations/daily/schedules/s", {"cron": "0 5 * * *"})
    trigger = ("orchestrations/daily/triggers/t", {"tables": ["in.c-x.t"]})
    async with bearer(api, mixed, scopes=["read", "configure", "run"], components=["demo-extractor"]) as near:
        problem = await near.put("configurations/sql/s1", body, status=403)
        assert "'sql'" in problem["detail"]
        await near.delete("configurations/sql/s1", status=403)
        for path, wish in (schedule, trigger):
            await near.put(path, wish, status=403)
        for call in ("plan", "apply"):
            await near.post(f"definitions/{call}", {"documents": [document]}, status=403)
        await near.put("configurations/demo-extractor/one", {"parameters": {"rows": 5}}, status=200)
    async with bearer(api, mixed, scopes=["configure"]) as nobody:
        for path, wish in (schedule, trigger):
            await nobody.put(path, wish, status=403)
        await nobody.put("orchestrations/mine", {"phases": []}, status=403)
    async with bearer(api, mixed, scopes=["configure"], components=["orchestrator"]) as planner:
        await planner.put("orchestrations/mine", {"phases": []}, status=201)
        await planner.put("orchestrations/mine", orchestration("one"), status=403)
        for path, wish in (schedule, trigger):
            await planner.put(path, wish, status=201)


async def test_3_a_variable_belongs_to_the_components_that_use_it(api: RunningApi, mixed: Client) -> None:
    """Changing it changes what its users run; users within secrets are found, too."""
    for name in ("plain", "hidden", "of_task", "free"):
        await mixed.put(f"variables/{name}", {"value": "1"}, status=201)
    await mixed.put(
        "configurations/sql/s1", {"parameters": {"a": ["x {{ vars.plain }}"], "#b": "{{vars.hidden}}"}}
    )
    task = {
        "component": "sql",
        "configuration": "s1",
        "parameters": {"parameters": {"c": "{{ vars.of_task }}"}},
    }
    await mixed.put("orchestrations/mine", {"phases": [{"tasks": [task]}]}, status=201)
    async with bearer(api, mixed, scopes=["configure"], components=["demo-extractor"]) as near:
        for name in ("plain", "hidden", "of_task"):
            assert "'sql'" in (await near.put(f"variables/{name}", {"value": "2"}, status=403))["detail"]
            await near.delete(f"variables/{name}", status=403)
        await near.put("variables/free", {"value": "2"}, status=200)
    async with bearer(api, mixed, scopes=["configure"], components=["sql"]) as owner:
        await owner.put("variables/plain", {"value": "2"}, status=200)


async def test_no_token_makes_a_token(api: RunningApi, mixed: Client) -> None:
    """So no token creates a stronger one, and created tokens never administer."""
    every = ["read", "configure", "run", "tables"]
    async with bearer(api, mixed, scopes=every, components=["*"]) as strong:
        await strong.post("tokens", {"name": "x", "scopes": ["read"]}, status=403)
    await mixed.post("tokens", {"name": "x", "scopes": ["admin"]}, status=422)
