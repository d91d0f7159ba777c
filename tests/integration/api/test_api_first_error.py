"""Why a run failed: the first error, its line of the log, the same one before, and what changed since."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_api_log_lines import written
from tests.support.databases import Database

NOW = datetime(2026, 11, 30, 5, 36, tzinfo=UTC)
INSERT_TASK = (
    "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,"
    " continue_on_failure, status, job_id, active, lane_id)"
    " VALUES ($1, 0, $2, $3, upper($3), 'demo-extractor', $3, '{}', $4, 'error', $5, true, $6)"
)


async def failing_task(runner: Runner, run: UUID, name: str, number: int, **more: Any) -> UUID:
    """A task of the run that failed, and its job."""
    tolerated, seconds = more.pop("tolerated", False), more.pop("seconds", number)
    times = {"started_at": NOW, "finished_at": NOW + timedelta(seconds=seconds)}
    job = await runner.job(name, number, "error", parent=run, task_id=name, phase=0, **times, **more)
    lane = await runner.lane("demo-extractor", name)
    await runner.database.execute(INSERT_TASK, run, number, name, tolerated, job, lane)
    return job


async def run_with_phase(runner: Runner, number: int, **more: Any) -> UUID:
    run = await runner.job("daily", number, "error", component="orchestrator", **more)
    await runner.database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'Load', 0)", run
    )
    return run


async def test_the_error_with_its_line_its_past_and_what_changed(
    furnished: Client, database: Database
) -> None:
    runner = Runner(database)
    before = await run_with_phase(runner, 34)
    await failing_task(runner, before, "one", 60, message="3 rows are missing", version=1)
    await runner.job("one", 61, "success", version=2)
    run = await run_with_phase(runner, 42)
    job = await failing_task(runner, run, "one", 62, message="12 rows are missing", version=1)
    await written(database, job, [(1, 1, "stderr", "connected\nERROR: 12 rows are missing\nexit code 1\n")])
    body = {"parameters": {"rows": 13}, "note": "as the index calls it"}
    await furnished.put("configurations/demo-extractor/one", body)

    answer = await furnished.get(f"jobs/{run}/first-error")
    error = answer["error"]
    assert answer["failed"] == 1
    assert (error["job_id"], error["orchestration"], error["phase"]) == (str(job), "daily", "Load")
    assert (error["task_id"], error["task_name"]) == ("one", "ONE")
    assert (error["line"], error["message"]) == (2, "12 rows are missing")
    assert [line["number"] for line in error["log"]] == [1, 2, 3]
    assert (error["earlier"]["run_number"], error["earlier"]["orchestration"]) == (34, "daily")
    assert (error["earlier"]["count"], error["earlier"]["ended_by_version"]) == (1, 2)
    assert (error["version"], error["changed"]["version"]) == (1, 2)
    assert (error["changed"]["author"], error["changed"]["note"]) == (
        "admin@example.com",
        "as the index calls it",
    )
    assert (await furnished.get(f"jobs/{job}/first-error"))["error"] == error


async def test_tasks_that_may_fail_come_last_and_nested_runs_are_looked_into(
    furnished: Client, database: Database
) -> None:
    runner = Runner(database)
    run = await run_with_phase(runner, 1)
    await failing_task(runner, run, "one", 1, tolerated=True, seconds=1, message="may fail")
    nested = await runner.job(
        "nested", 1, "error", component="orchestrator", parent=run, message="failed: two", task_id="nested"
    )
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'Inner', 0)", nested
    )
    job = await failing_task(runner, nested, "two", 1, seconds=50, depth=2, root_id=run, message="the cause")
    answer = await furnished.get(f"jobs/{run}/first-error")
    assert (answer["error"]["job_id"], answer["failed"]) == (str(job), 2)
    assert (answer["error"]["orchestration"], answer["error"]["phase"]) == ("nested", "Inner")
    assert (answer["error"]["line"], answer["error"]["log"], answer["error"]["earlier"]) == (None, [], None)


async def test_a_run_that_failed_by_itself_and_one_that_did_not_fail(
    furnished: Client, api: RunningApi, database: Database
) -> None:
    runner = Runner(database)
    alone = await runner.job("daily", 1, "error", component="orchestrator", message="no such version")
    fine = await runner.job("daily", 2, "success", component="orchestrator")
    answer = await furnished.get(f"jobs/{alone}/first-error")
    assert (answer["error"]["job_id"], answer["error"]["task_id"], answer["failed"]) == (str(alone), None, 1)
    assert await furnished.get(f"jobs/{fine}/first-error") == {"error": None, "failed": 0}
    token = await furnished.post("tokens", {"name": "starter", "scopes": ["run"]}, status=201)
    async with api.http(token["token"]) as http:
        await Client(http).get(f"jobs/{alone}/first-error", status=403)
