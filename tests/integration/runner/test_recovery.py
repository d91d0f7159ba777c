"""Replicas that are killed, hang or stop: their jobs go on elsewhere, or end as the component says."""

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import QUICKLY_LOST, Pipelines, task
from tests.support.waiting import eventually

from orchestrator_shared.runtime import failpoints

ONCE_SLOW = """
import time
print("attempt", os.environ["ORCHESTRATOR_ATTEMPT"], flush=True)
if os.environ["ORCHESTRATOR_ATTEMPT"] == "1":
    time.sleep(60)
"""


async def _started(pipelines: Pipelines, job: object) -> None:
    await eventually(
        lambda: pipelines.database.fetchval("SELECT count(*) FROM jobs.logs WHERE job_id = $1", job)
    )


@pytest.mark.parametrize("how", ["kill", "suspend"])
async def test_a_lost_replicas_job_goes_on_elsewhere(
    pipelines: Pipelines, start_runner: StartRunner, how: str
) -> None:
    await pipelines.scripts(once=ONCE_SLOW, later="pass")
    await pipelines.orchestration("campaigns", [task("once")], [task("later")])
    first = start_runner(**QUICKLY_LOST)
    await first.ready()
    run = await pipelines.run("campaigns")
    await pipelines.in_status(run, "processing")
    child = (await pipelines.children(run))["once"]["id"]
    await _started(pipelines, child)
    second = start_runner(**QUICKLY_LOST)
    await second.ready()

    getattr(first, how)()
    ended = await pipelines.ended(run)

    assert ended["status"] == "success"
    job = await pipelines.job(child)
    assert job is not None
    assert (job["attempt"], job["free_attempts"], job["epoch"]) == (2, 1, 2)
    outcomes = await pipelines.database.fetch(
        "SELECT outcome, message FROM jobs.attempts WHERE job_id = $1 ORDER BY attempt", child
    )
    assert [row["outcome"] for row in outcomes] == ["lost", "success"]
    wrong = (
        "SELECT count(*) FROM jobs.logs WHERE job_id = $1 AND (line_ends, is_open) IS DISTINCT FROM"
        r" (octet_length(text) - octet_length(replace(text, E'\n', '')), right(text, 1) <> E'\n')"
    )
    assert await pipelines.database.fetchval(wrong, child) == 0
    if how == "suspend":  # the zombie writes nothing, and ends when it learns that it was declared lost
        first.resume()
        assert await first.ended() == 1
        again = await pipelines.job(child)
        assert again == job


async def test_a_job_that_is_not_safe_to_repeat_ends_with_runner_lost(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.configuration("once", {"code": ONCE_SLOW}, component="fragile")
    first = start_runner(**QUICKLY_LOST)
    await first.ready()
    job = await pipelines.run("once", component="fragile")
    await _started(pipelines, job)
    second = start_runner(**QUICKLY_LOST)
    await second.ready()

    first.kill()
    ended = await pipelines.ended(job)

    assert (ended["status"], ended["error_kind"], ended["attempt"]) == ("error", "internal", 1)
    assert ended["message"].startswith("runner lost")


async def test_a_shutdown_gives_jobs_back_and_costs_no_attempt(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(once=ONCE_SLOW)
    first = start_runner(ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS="13")
    await first.ready()
    job = await pipelines.run("once", component="script")
    await _started(pipelines, job)
    second = start_runner(**QUICKLY_LOST)
    await second.ready()

    first.terminate()
    ended = await pipelines.ended(job)

    assert (ended["status"], ended["attempt"], ended["free_attempts"]) == ("success", 2, 1)
    assert await first.ended() == 0


@pytest.mark.parametrize("point", failpoints.CRASH_POINTS)
async def test_a_crash_at_every_named_point(
    pipelines: Pipelines, start_runner: StartRunner, point: str
) -> None:
    await pipelines.scripts(a="pass", b="pass")
    await pipelines.orchestration("campaigns", [task("a")], [task("b")])
    doomed = start_runner(ORCHESTRATOR_CRASH_AT=point, **QUICKLY_LOST)
    await doomed.ready()
    run = await pipelines.run("campaigns")
    assert await doomed.ended() == failpoints.CRASH_EXIT_CODE

    await start_runner().ready()
    ended = await pipelines.ended(run)

    assert ended["status"] == "success"
    assert await pipelines.tasks(run) == {"a": "success", "b": "success"}
    assert await pipelines.database.fetchval("SELECT count(*) FROM jobs.jobs") == 3
