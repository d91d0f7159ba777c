"""Stopping jobs and runs, in every state they can be in."""

from pathlib import Path

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task, until_open
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.domain.ids import new_job_id

SLOW = "import time; print('begun', flush=True); time.sleep(60)"


async def test_a_run_stops_with_its_children_and_the_next_one_follows(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(slow=SLOW, later="pass")
    await pipelines.orchestration("inner", [task("slow")], [task("later")])
    await pipelines.orchestration("outer", [task("inner", component="orchestrator")])
    await start_runner().ready()
    run = await pipelines.run("outer")
    waiting = await pipelines.run("outer")

    async def slow_started() -> bool:
        rows = await pipelines.database.fetch(
            "SELECT 1 FROM jobs.logs l JOIN jobs.jobs j ON j.id = l.job_id WHERE j.root_id = $1", run
        )
        return bool(rows)

    await eventually(slow_started)
    await pipelines.terminate(waiting)
    await pipelines.terminate(run)

    ended = await pipelines.ended(run)
    assert (ended["status"], ended["stop_requested_by"]) == ("terminated", "test")
    inner = (await pipelines.children(run))["inner"]
    assert inner["status"] == "terminated"
    assert await pipelines.tasks(inner["id"]) == {"slow": "terminated", "later": "not_executed"}
    cancelled = await pipelines.ended(waiting)
    assert (cancelled["status"], cancelled["started_at"]) == ("cancelled", None)


async def test_a_child_stopped_by_hand_counts_as_failed(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(slow=SLOW, later="pass")
    await pipelines.orchestration("campaigns", [task("slow")], [task("later")])
    await start_runner().ready()
    run = await pipelines.run("campaigns")
    await pipelines.in_status(run, "processing")
    child = (await pipelines.children(run))["slow"]["id"]
    await pipelines.in_status(child, "processing")

    await pipelines.terminate(child)

    ended = await pipelines.ended(run)
    assert (ended["status"], ended["message"]) == ("error", "failed: slow")
    assert await pipelines.status(child) == "terminated"


async def test_a_terminate_that_overtakes_its_request_is_honoured(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a="pass")
    await start_runner().ready()
    job = new_job_id()

    await pipelines.terminate(job)
    await eventually(lambda: pipelines.database.fetchval("SELECT count(*) FROM jobs.tombstones"))
    await pipelines.run("a", component="script", job_id=job)

    ended = await pipelines.ended(job)
    assert (ended["status"], ended["attempt"]) == ("cancelled", 0)
    assert await pipelines.database.fetchval("SELECT count(*) FROM jobs.tombstones") == 0


async def test_a_terminate_during_a_delay_between_attempts(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(bad="sys.exit('no')")
    await pipelines.orchestration("campaigns", [task("bad", attempts=2, attempt_delay_seconds=3600)])
    await start_runner().ready()
    run = await pipelines.run("campaigns")
    await pipelines.in_status(run, "processing")
    child = (await pipelines.children(run))["bad"]["id"]

    async def delayed() -> bool:
        row = await pipelines.job(child)
        return row is not None and row["delayed"]

    await eventually(delayed)
    await pipelines.terminate(child)

    ended = await pipelines.ended(child)
    assert (ended["status"], ended["delayed"]) == ("terminated", False)
    assert ended["message"] == "stopped between two attempts"
    assert (await pipelines.ended(run))["status"] == "error"


async def test_the_next_job_waits_until_the_last_process_is_dead(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(
        stubborn="import signal, time; signal.signal(15, signal.SIG_IGN); print('begun'); time.sleep(60)"
    )
    await start_runner().ready()
    first = await pipelines.run("stubborn", component="script")
    await pipelines.in_status(first, "processing")
    await eventually(lambda: pipelines.log(first))
    second = await pipelines.run("stubborn", component="script")
    await pipelines.in_status(second, "waiting")

    await pipelines.terminate(first)
    await pipelines.in_status(first, "terminating")
    assert await pipelines.status(second) == "waiting"
    ended = await pipelines.ended(first)
    await pipelines.in_status(second, "processing")
    row = await pipelines.job(second)

    assert ended["status"] == "terminated"
    assert row is not None
    assert row["started_at"] >= ended["finished_at"]


async def test_a_withdrawal_leaves_a_run_alone_that_has_started(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await pipelines.scripts(slow=until_open(gate))
    await start_runner().ready()
    started = await pipelines.run("slow", component="script")
    waiting = await pipelines.run("slow", component="script")
    await pipelines.in_status(started, "processing")

    for job in (started, waiting):
        await pipelines.publish(TerminateRequested(job_id=job, project=PROJECT, unstarted_only=True))

    assert (await pipelines.ended(waiting))["status"] == "cancelled"
    gate.touch()
    assert (await pipelines.ended(started))["status"] == "success"
