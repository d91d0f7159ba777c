"""How long runs, phases and tasks usually take, with five successes or more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.integration.api.conftest import Client
from tests.integration.api.test_api_first_error import INSERT_TASK
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

START = datetime(2026, 11, 30, 4, 30, tzinfo=UTC)


async def successful_run(runner: Runner, number: int, seconds: float) -> UUID:
    """A run with one phase and one task that took as long."""
    times = {"started_at": START, "finished_at": START + timedelta(seconds=seconds), "full_run": True}
    run = await runner.job("daily", number, "success", component="orchestrator", **times)
    await runner.database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)"
        " VALUES ($1, 0, 'Load', 0, $2, $3)",
        run,
        START,
        START + timedelta(seconds=seconds / 2),
    )
    job = await runner.job("one", number, "success", parent=run, task_id="one", phase=0, **times)
    lane = await runner.lane("demo-extractor", "one")
    await runner.database.execute(INSERT_TASK, run, number, "one", False, job, lane)
    return run


async def test_four_successes_are_too_few(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    for number in range(1, 5):
        await successful_run(runner, number, 10)
    run = await runner.job("daily", 90, "processing", component="orchestrator")
    shown = await furnished.get(f"jobs/{run}")
    assert (shown["usual_duration_seconds"], shown["expected_end"]) == (None, None)
    assert (await furnished.get("orchestrations/daily"))["usual_duration_seconds"] is None
    last = await successful_run(runner, 5, 20)
    assert (await furnished.get(f"jobs/{run}"))["usual_duration_seconds"] == 12.0
    assert (await furnished.get("orchestrations/daily"))["usual_duration_seconds"] == 12.0
    (phase,) = (await furnished.get(f"jobs/{last}/tasks"))["phases"]
    assert (phase["name"], phase["usual_duration_seconds"]) == ("Load", 6.0)
    assert phase["tasks"][0]["usual_duration_seconds"] == 12.0
