"""Retries: a plan to review, then exactly that plan, linked to the original job."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.api.conftest import ADMIN_EMAIL, Client, RunningApi, orchestration, said
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_api_tokens import bearer
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
TASK = (
    "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,"
    " continue_on_failure, status, active, lane_id)"
    " VALUES ($1, $2, 0, $3, $3, 'demo-extractor', 'one', '{}', false, $4, true, $5)"
)


async def failed_run(database: Database, *, number: int = 1, **more: Any) -> UUID:
    """A run of daily: its first task failed, its second was never reached."""
    runner = Runner(database)
    run = await runner.job(
        "daily", number, "error", component="orchestrator", **{"id": uuid4(), "version": 1, **more}
    )
    lane = await runner.lane("demo-extractor", "one")
    for index, (task, status) in enumerate(
        (("demo-extractor/one", "error"), ("demo-extractor/two", "not_executed"))
    ):
        await database.execute(
            "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, $2, 'P', 0)", run, index
        )
        await database.execute(TASK, run, index, task, status, lane)
    return run


def selected(plan: dict[str, Any]) -> list[str]:
    return [task["id"] for task in plan["tasks"] if task["selected"]]


async def test_retry_is_exactly_the_plan(furnished: Client, database: Database, broker: BrokerVhost) -> None:
    run = await failed_run(database)
    await database.execute(
        "UPDATE jobs.jobs SET scheduled_for = '2026-01-02T03:04:05Z', parameters = $2 WHERE id = $1",
        run,
        json.dumps({"demo-extractor/one": {"rows": 9}, "other": {"rows": 1}}),
    )
    plan = await furnished.get(f"jobs/{run}/retry-plan")
    assert (plan["version"], plan["missing"]) == (1, [])
    assert selected(plan) == ["demo-extractor/one", "demo-extractor/two"]
    assert [task["status_before"] for task in plan["tasks"]] == ["error", "not_executed"]
    accepted = await furnished.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
    (envelope,) = await said(broker, "runner.commands", 1)
    data = envelope["data"]
    assert (data["job_id"], data["origin"], data["version"]) == (accepted["job_id"], "retry", 1)
    assert (data["details"], data["attended"], data["notify"]) == (True, True, ADMIN_EMAIL)
    assert datetime.fromisoformat(data["scheduled_for"]) == datetime.fromisoformat("2026-01-02T03:04:05Z")
    (stored,) = await database.fetch("SELECT * FROM catalog.run_requests")
    assert (stored["tasks"], stored["retry_of"], stored["origin"]) == (selected(plan), run, "retry")
    assert json.loads(stored["parameters"]) == {"demo-extractor/one": {"rows": 9}}
    shown = await furnished.get(f"jobs/{accepted['job_id']}")
    assert (shown["retry_of"], shown["origin"], shown["status"]) == (str(run), "retry", "created")
    retries = (await furnished.get(f"jobs/{run}"))["retries"]
    assert [(retry["id"], retry["status"]) for retry in retries] == [(accepted["job_id"], "created")]


async def test_changed_plan_is_refused(furnished: Client, database: Database) -> None:
    run = await failed_run(database)
    plan = await furnished.get(f"jobs/{run}/retry-plan")
    old = await furnished.get(f"jobs/{run}/retry-plan?version=original")
    assert (old["id"] != plan["id"], old["tasks"]) == (True, plan["tasks"])
    await furnished.put("orchestrations/daily", orchestration("two"))
    problem = await furnished.post(f"jobs/{run}/retries", {"plan_id": "0" * 32}, status=409)
    assert problem["errors"][0]["field"] == "plan_id"
    now = await furnished.get(f"jobs/{run}/retry-plan")
    assert now["id"] != plan["id"]
    assert (selected(now), [task["id"] for task in now["missing"]]) == (
        ["demo-extractor/two"],
        ["demo-extractor/one"],
    )
    problem = await furnished.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=409)
    assert "saved since the plan was fetched: orchestrator/daily." in problem["detail"]
    # The plan on the original version is what was fetched: it still stands.
    accepted = await furnished.post(f"jobs/{run}/retries", {"plan_id": old["id"]}, status=202)
    assert (await furnished.get(f"jobs/{accepted['job_id']}"))["version"] == 1
    await database.execute(  # no statement of ours can: what has ended stays as it is
        """BEGIN; SET LOCAL session_replication_role = replica;
           UPDATE jobs.tasks SET status = 'success' WHERE phase = 0; COMMIT"""
    )
    await furnished.post(f"jobs/{run}/retries", {"plan_id": old["id"]}, status=409)


async def test_19_a_plan_of_current_versions_never_runs_the_broken_one(
    furnished: Client, database: Database
) -> None:
    """Issue 8: plan fetched, repaired configuration saved, plan posted: the broken version ran again."""
    run, path = await failed_run(database), "configurations/demo-extractor/one"
    await database.execute("UPDATE jobs.tasks SET version = 1")
    current, original = [
        await furnished.get(f"jobs/{run}/retry-plan?version={version}") for version in ("current", "original")
    ]
    assert current["tasks"] == original["tasks"]
    newer = {"parameters": {"rows": 2}, "note": "more rows", "name": "Orders of the shop"}
    await furnished.put(path, newer, status=200)
    for body in ({}, {"tasks": ["demo-extractor/one"]}, {"tasks": ["demo-extractor/two"]}):
        wish = {"plan_id": current["id"], **body}
        problem = await furnished.post(f"jobs/{run}/retries", wish, status=409)
        assert "saved since the plan was fetched: demo-extractor/one." in problem["detail"]
        (since,) = problem["saved"]
        assert (since["configuration"], since["version"], since["note"]) == ("one", 2, "more rows")
        assert (since["author"], since["saved_at"][-1]) == (ADMIN_EMAIL, "Z")
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 0
    again = await furnished.get(f"jobs/{run}/retry-plan")
    task = again["tasks"][0]
    assert (task["version_before"], task["version"], task["changed"]["note"]) == (1, 2, "more rows")
    assert (task["component"], task["configuration"]) == ("demo-extractor", "one")
    assert task["name"] == "Orders of the shop"
    assert again["usual_duration_seconds"] is None
    for plan, version in ((again, 2), (original, 1)):
        accepted = await furnished.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
        pinned = await database.fetchval(
            "SELECT task_versions FROM catalog.run_requests WHERE job_id = $1", UUID(accepted["job_id"])
        )
        assert json.loads(pinned)["daily"]["demo-extractor/one"] == version


async def test_19_a_job_of_a_component_is_no_exception(furnished: Client, database: Database) -> None:
    job = await Runner(database).job("one", 1, "error", version=1)
    current, original = [
        await furnished.get(f"jobs/{job}/retry-plan?version={version}") for version in ("current", "original")
    ]
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 2}}, status=200)
    problem = await furnished.post(f"jobs/{job}/retries", {"plan_id": current["id"]}, status=409)
    assert "demo-extractor/one" in problem["detail"]
    accepted = await furnished.post(f"jobs/{job}/retries", {"plan_id": original["id"]}, status=202)
    assert (await furnished.get(f"jobs/{accepted['job_id']}"))["version"] == 1


async def test_plan_pins_the_versions_of_the_tasks_configurations(
    furnished: Client, database: Database
) -> None:
    run = await failed_run(database)
    await database.execute("UPDATE jobs.tasks SET version = 1")
    before = await furnished.get(f"jobs/{run}/retry-plan")
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 5}})
    now = await furnished.get(f"jobs/{run}/retry-plan")
    assert [task["version"] for task in before["tasks"]] == [1, 1]
    assert [task["version"] for task in now["tasks"]] == [2, 1]
    old = await furnished.get(f"jobs/{run}/retry-plan?version=original")
    assert [task["version"] for task in old["tasks"]] == [1, 1]
    for plan, version in ((now, 2), (old, 1)):
        accepted = await furnished.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
        pinned = await database.fetchval(
            "SELECT task_versions FROM catalog.run_requests WHERE job_id = $1", UUID(accepted["job_id"])
        )
        assert json.loads(pinned) == {"daily": {"demo-extractor/one": version, "demo-extractor/two": 1}}
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 6}})
    await furnished.post(f"jobs/{run}/retries", {"plan_id": now["id"]}, status=409)


async def test_original_versions_reach_into_nested_runs(furnished: Client, database: Database) -> None:
    await furnished.put(
        "orchestrations/whole",
        {"phases": [{"tasks": [{"id": "daily", "component": "orchestrator", "configuration": "daily"}]}]},
    )
    runner = Runner(database)
    run = await runner.job("whole", 1, "error", component="orchestrator", id=uuid4(), version=1)
    inner = await failed_run(database, parent_id=run, root_id=run, depth=1, task_id="daily")
    lane = await runner.lane("orchestrator", "daily")
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'P', 0)", run
    )
    await database.execute(TASK, run, 0, "daily", "error", lane)
    await database.execute("UPDATE jobs.tasks SET job_id = $1 WHERE run_id = $2", inner, run)
    await database.execute("UPDATE jobs.tasks SET version = 1 WHERE run_id = $1", inner)
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 5}})
    await furnished.put("orchestrations/daily", orchestration("two"))

    plans = [await furnished.get(f"jobs/{run}/retry-plan?version={v}") for v in ("current", "original")]
    stored = []
    for plan in plans:
        accepted = await furnished.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
        stored.append(
            await database.fetchval(
                "SELECT task_versions FROM catalog.run_requests WHERE job_id = $1", UUID(accepted["job_id"])
            )
        )

    assert [json.loads(each) for each in stored] == [
        {"whole": {"daily": 2}},
        {"whole": {"daily": 1}, "daily": {"demo-extractor/one": 1, "demo-extractor/two": 1}},
    ]


async def test_a_plan_tells_how_long_it_usually_takes(furnished: Client, database: Database) -> None:
    run, runner = await failed_run(database), Runner(database)
    for name in ("one", "two"):
        for number in range(10, 15):
            times = {"started_at": NOON, "finished_at": NOON + timedelta(seconds=len(name) * number)}
            await runner.job(name, number, "success", **times)
    assert (await furnished.get(f"jobs/{run}/retry-plan"))["usual_duration_seconds"] == 72.0
    job = await runner.job("one", 20, "error", version=1)
    assert (await furnished.get(f"jobs/{job}/retry-plan"))["usual_duration_seconds"] == 36.0


async def test_selection_may_be_changed(furnished: Client, database: Database) -> None:
    run = await failed_run(database)
    plan = await furnished.get(f"jobs/{run}/retry-plan")
    changed = await furnished.get(f"jobs/{run}/retry-plan?tasks=demo-extractor/two")
    assert selected(changed) == ["demo-extractor/two"]
    path = f"jobs/{run}/retries"
    await furnished.post(path, {"plan_id": changed["id"]}, status=409)  # its tasks are not the preselected
    for plan_id in (plan["id"], changed["id"]):
        body = {"plan_id": plan_id, "tasks": ["demo-extractor/two"]}
        accepted = await furnished.post(path, body, status=202)
        tasks = await database.fetchval(
            "SELECT tasks FROM catalog.run_requests WHERE job_id = $1", UUID(accepted["job_id"])
        )
        assert tasks == ["demo-extractor/two"]
    problem = await furnished.post(path, {"plan_id": plan["id"], "tasks": ["ghost"]}, status=422)
    assert problem["errors"][0]["field"] == "tasks.0"


async def test_requesting_twice_requests_once(furnished: Client, database: Database) -> None:
    run = await failed_run(database)
    plan = await furnished.get(f"jobs/{run}/retry-plan")
    body, path = {"plan_id": plan["id"]}, f"jobs/{run}/retries"
    first = await furnished.post(path, body, status=202, key="k")
    await furnished.put("orchestrations/daily", orchestration("two"))
    assert await furnished.post(path, body, status=202, key="k") == first
    for change in ({"tasks": ["demo-extractor/two"]}, {"plan_id": "other"}, {"confirm": True}):
        problem = await furnished.post(path, {**body, **change}, status=422, key="k")
        assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 1


async def test_only_finished_jobs_and_those_of_the_project(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    going = await runner.job("daily", 1, "processing", component="orchestrator")
    for path in (f"jobs/{going}/retry-plan",):
        assert "not finished" in (await furnished.get(path, status=409))["detail"]
    await furnished.post(f"jobs/{going}/retries", {"plan_id": "x"}, status=409)
    await furnished.get(f"jobs/{uuid4()}/retry-plan", status=404)


async def test_component_job_is_retried_with_its_parameters(furnished: Client, database: Database) -> None:
    job = await Runner(database).job("one", 1, "error", version=1, parameters=json.dumps({"rows": 3}))
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 5}})
    plan = await furnished.get(f"jobs/{job}/retry-plan")
    assert (plan["tasks"], plan["version"]) == ([], 2)
    old = await furnished.get(f"jobs/{job}/retry-plan?version=original")
    assert old["version"] == 1
    accepted = await furnished.post(f"jobs/{job}/retries", {"plan_id": old["id"]}, status=202)
    (stored,) = await database.fetch("SELECT * FROM catalog.run_requests")
    assert (stored["version"], stored["tasks"], stored["component"]) == (1, None, "demo-extractor")
    assert json.loads(stored["parameters"]) == {"rows": 3}
    assert (await furnished.get(f"jobs/{accepted['job_id']}"))["retry_of"] == str(job)


async def test_retry_needs_the_right_to_run(api: RunningApi, furnished: Client, database: Database) -> None:
    run = await failed_run(database)
    plan = await furnished.get(f"jobs/{run}/retry-plan")
    async with bearer(api, furnished, scopes=["read"], components=[]) as reader:
        assert (await reader.get(f"jobs/{run}/retry-plan"))["id"] == plan["id"]
        await reader.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=403)
    async with bearer(api, furnished, scopes=["read", "run"], components=[]) as robot:
        accepted = await robot.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)
    requested = await database.fetchval(
        "SELECT origin FROM catalog.run_requests WHERE job_id = $1", UUID(accepted["job_id"])
    )
    assert requested == "retry"
