"""Why a job waits, the lanes of a project, and what a termination would change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.api.conftest import Client
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def runner(furnished: Client, database: Database) -> Runner:
    """A connected runner, and a configuration that usually takes ten minutes."""
    made = Runner(database)
    await made.connect()
    await succeeded(made, "one", 5)
    return made


async def succeeded(runner: Runner, configuration: str, count: int, **more: Any) -> None:
    started = now() - timedelta(days=1)
    times = {"accepted_at": started, "started_at": started, "finished_at": started + 10 * MINUTE}
    for number in range(1, count + 1):
        await runner.job(configuration, number, "success", **times, **more)


async def held_lane(runner: Runner) -> tuple[UUID, UUID, list[UUID]]:
    """A run whose task has held the configuration for four minutes, and three jobs that wait for it."""
    run = await runner.job("daily", 411, "processing", component="orchestrator", **since(5))
    holder = await runner.job("one", 6, "processing", parent=run, origin="parent", task_id="one", **since(4))
    waiting = [
        await runner.job("one", number, "waiting", **{**since(3), "started_at": None}) for number in (7, 8, 9)
    ]
    return run, holder, waiting


def since(minutes: float) -> dict[str, datetime]:
    """The times of a job that was requested, accepted and started so long ago."""
    return dict.fromkeys(("requested_at", "accepted_at", "due_at", "started_at"), now() - minutes * MINUTE)


async def test_the_third_in_line_is_told_whom_it_waits_for(furnished: Client, runner: Runner) -> None:
    run, holder, waiting = await held_lane(runner)
    shown = await furnished.get(f"jobs/{waiting[2]}/explanation")
    assert (shown["cause"], shown["place"], shown["length"]) == ("configuration_busy", 3, 3)
    assert (shown["holder"]["id"], shown["holder"]["run_id"]) == (str(holder), str(run))
    assert shown["usual_seconds"] == 600
    expected = datetime.fromisoformat(shown["expected_start"])
    assert abs(expected - (now() + 26 * MINUTE)) < MINUTE
    held = datetime.fromisoformat(shown["holder"]["started_at"]).astimezone(UTC)
    begins, ends = "Third of 3, held by daily #411 since ", f"{expected:%H:%M} UTC."
    assert shown["sentence"].startswith(begins)
    assert shown["sentence"].endswith(ends)
    assert f"{held:%H:%M}, expected start about " in shown["sentence"]
    prague = await furnished.get(f"jobs/{waiting[2]}/explanation?timezone=Europe/Prague")
    assert prague["sentence"].endswith(" Prague.")
    refused = await furnished.get(f"jobs/{waiting[2]}/explanation?timezone=Prague", status=422)
    assert refused["errors"][0]["field"] == "timezone"


async def test_nothing_is_expected_of_what_has_not_succeeded(furnished: Client, runner: Runner) -> None:
    await runner.job("two", 5, "processing")
    waiting = await runner.job("two", 6, "waiting")
    shown = await furnished.get(f"jobs/{waiting}/explanation")
    assert (shown["usual_seconds"], shown["expected_start"]) == (None, None)
    assert shown["sentence"].startswith("Next, held by demo-extractor/two #5 since")


async def test_the_line_for_a_slot_counts_only_the_project(
    furnished: Client, runner: Runner, database: Database
) -> None:
    await runner.job("two", 1, "processing")  # in the only slot
    await furnished.post("/v1/projects", {"id": "rival"}, status=201)
    await Runner(database, "rival").job("theirs", 1, "ready", ready_at=now() - MINUTE)
    first = await runner.job("one", 6, "ready", ready_at=now())
    shown = await furnished.get(f"jobs/{first}/explanation")
    assert (shown["cause"], shown["place"], shown["length"]) == ("no_free_slot", 1, 1)
    assert shown["slots"] == {"runners": 1, "total": 1, "in_use": 1}
    assert shown["sentence"] == "Waits for a free slot: 1 of 1 in use. Next in this project."
    run = await runner.job("daily", 1, "ready", component="orchestrator")
    assert (await furnished.get(f"jobs/{run}/explanation"))["cause"] == "about_to_start"


async def test_every_state_of_a_job_is_described(furnished: Client, runner: Runner) -> None:
    later = {"attempt": 1, "max_attempts": 3, "delayed": True, "due_at": now() + 5 * MINUTE}
    delayed = await furnished.get(f"jobs/{await runner.job('two', 1, 'waiting', **later)}/explanation")
    assert delayed["cause"] == "next_attempt_delayed"
    assert datetime.fromisoformat(delayed["expected_start"]) == later["due_at"]
    working = await runner.job("one", 6, "processing", started_at=now() - 4 * MINUTE)
    shown = await furnished.get(f"jobs/{working}/explanation")
    assert shown["cause"] is None
    assert shown["sentence"].startswith("Running for 4 min, usually 10 min, until about")
    requested = (await furnished.post("orchestrations/daily/runs"))["job_id"]
    assert (await furnished.get(f"jobs/{requested}/explanation"))["cause"] == "not_accepted"


async def test_a_merged_fire_is_explained_as_what_it_became(
    furnished: Client, runner: Runner, database: Database
) -> None:
    run, merged = await runner.job("daily", 1, "waiting", component="orchestrator"), uuid4()
    await database.execute(
        "INSERT INTO jobs.request_records"
        " (job_id, decision, into_job_id, project, configuration, scheduled_for)"
        " VALUES ($1, 'merged', $2, 'demo', 'daily', now())",
        merged,
        run,
    )
    shown = await furnished.get(f"jobs/{merged}/explanation")
    assert (shown["cause"], shown["sentence"]) == (
        None,
        "It was merged into run #1, which had not started yet (overlap: one_waiting).",
    )
    assert (await furnished.get(f"jobs/{merged}/timeline"))["tasks"] == []


class Run:
    """A run of two phases, as a runner recorded it: seconds count from its start."""

    def __init__(self, runner: Runner, database: Database) -> None:
        self.runner = runner
        self.database = database
        self.start = now() - timedelta(hours=1)

    def at(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    def times(self, accepted: float, ready: float, started: float, finished: float | None) -> dict[str, Any]:
        return {
            "requested_at": self.at(accepted),
            "accepted_at": self.at(accepted),
            "due_at": self.at(accepted),
            "ready_at": self.at(ready),
            "started_at": self.at(started),
            "finished_at": None if finished is None else self.at(finished),
        }

    async def attempt(self, job: UUID, number: int, *seconds: float, outcome: str = "success") -> None:
        due, ready, started, finished = map(self.at, seconds)
        await self.database.execute(
            "INSERT INTO jobs.attempts"
            " (job_id, attempt, replica_id, due_at, ready_at, started_at, finished_at, outcome)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            job, number, self.runner.replica, due, ready, started, finished, outcome,
        )  # fmt: skip

    async def task(self, run: UUID, phase: int, name: str, status: str, job: UUID | None) -> None:
        await self.database.execute(
            "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration,"
            " request, continue_on_failure, status, job_id, lane_id, active)"
            " VALUES ($1, $2, 0, $3, $3, 'demo-extractor', $3, '{}', false, $4, $5, $6, true)",
            run, phase, name, status, job, await self.runner.lane("demo-extractor", name),
        )  # fmt: skip

    async def phases(self, run: UUID, *names: str) -> None:
        for index, name in enumerate(names):
            await self.database.execute(
                "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, $2, $3, 0)",
                run,
                index,
                name,
            )


@pytest.fixture
async def recorded(runner: Runner, database: Database) -> tuple[UUID, UUID]:
    """A run that waited 125 s for another run's job and 14 s for a slot; that other job."""
    made = Run(runner, database)
    other_run = await runner.job(
        "other", 207, "success", component="orchestrator", **made.times(-60, -60, -60, 200)
    )
    holder = await runner.job(
        "one", 6, "success", parent=other_run, task_id="index", **made.times(-50, -50, -50, 125)
    )
    await made.attempt(holder, 1, -50, -50, -50, 125)
    run = await runner.job("daily", 42, "success", component="orchestrator", **made.times(0, 0, 0, 413))
    await made.phases(run, "Extract", "Transform")
    quick = await runner.job(
        "two", 1, "success", parent=run, phase=0, task_id="two", attempt=2, **made.times(0, 80, 80, 200)
    )
    await made.attempt(quick, 1, 0, 0, 0, 20, outcome="error")
    await made.attempt(quick, 2, 80, 80, 80, 200)
    slow = await runner.job(
        "one", 7, "success", parent=run, phase=0, task_id="one", **made.times(0, 125, 125, 233)
    )
    await made.attempt(slow, 1, 0, 125, 125, 233)
    last = await runner.job(
        "three", 1, "success", parent=run, phase=1, task_id="three", **made.times(233, 233, 247, 413)
    )
    await made.attempt(last, 1, 233, 233, 247, 413)
    for phase, name, job in ((0, "two", quick), (0, "one", slow), (1, "three", last)):
        await made.task(run, phase, name, "success", job)
    return run, holder


async def test_the_timeline_says_whose_fault_it_was(furnished: Client, recorded: tuple[UUID, UUID]) -> None:
    run, holder = recorded
    shown = await furnished.get(f"jobs/{run}/timeline")
    assert shown["verdict"]["sentence"] == (
        "It waited 2 min 19 s: 2 min 5 s for other #207, which held demo-extractor/one, "
        "and 14 s for a free slot; it ran 4 min 34 s."
    )
    assert shown["verdict"]["waits"] == [
        {
            "cause": "configuration_busy",
            "seconds": 125.0,
            "holder_id": str(holder),
            "target": "demo-extractor/one",
        },
        {"cause": "slot_or_limit", "seconds": 14.0, "holder_id": None, "target": None},
    ]
    assert [each["name"] for each in shown["holders"]] == ["other #207"]
    tasks = {task["id"]: task for task in shown["tasks"]}
    assert {name: task["seconds"] for name, task in tasks.items()} == {
        "two": {"running": 140.0, "delay": 60.0},
        "one": {"configuration_busy": 125.0, "running": 108.0},
        "three": {"earlier_phase": 233.0, "slot_or_limit": 14.0, "running": 166.0},
    }
    assert [name for name, task in tasks.items() if task["is_on_longest_path"]] == ["one", "three"]
    outcomes = [each["outcome"] for each in tasks["two"]["segments"] if each["cause"] == "running"]
    assert outcomes == ["error", "success"]


async def test_a_holder_that_is_no_longer_known_is_not_invented(
    furnished: Client, recorded: tuple[UUID, UUID], database: Database
) -> None:
    run, holder = recorded
    await database.execute("DELETE FROM jobs.jobs WHERE id = $1", holder)
    verdict = (await furnished.get(f"jobs/{run}/timeline"))["verdict"]
    assert verdict["waits"][0]["holder_id"] is None
    assert "2 min 5 s for demo-extractor/one, which another job held" in verdict["sentence"]


async def test_the_longest_path_goes_through_nested_runs(
    furnished: Client, runner: Runner, database: Database
) -> None:
    made = Run(runner, database)
    run = await runner.job("daily", 1, "success", component="orchestrator", **made.times(0, 0, 0, 100))
    await made.phases(run, "Only")
    below = {"parent": run, "phase": 0, "task_id": "nested"}
    nested = await runner.job(
        "inner", 1, "success", component="orchestrator", **below, **made.times(0, 5, 5, 100)
    )
    await made.phases(nested, "Only")
    job = await runner.job(
        "two", 1, "success", parent=nested, root_id=run, phase=0, task_id="two", **made.times(5, 5, 35, 100)
    )
    await made.attempt(job, 1, 5, 5, 35, 100)
    await made.task(run, 0, "nested", "success", nested)
    verdict = (await furnished.get(f"jobs/{run}/timeline"))["verdict"]
    assert [(each["cause"], each["seconds"]) for each in verdict["waits"]] == [
        ("slot_or_limit", 30.0),
        ("configuration_busy", 5.0),
    ]
    assert (verdict["waited_seconds"], verdict["ran_seconds"]) == (35.0, 65.0)


async def test_a_running_run_waits_until_now(furnished: Client, runner: Runner, database: Database) -> None:
    run, holder, waiting = await held_lane(runner)
    await database.execute(
        "INSERT INTO jobs.attempts (job_id, attempt, replica_id, started_at) VALUES ($1, 1, $2, $3)",
        holder,
        runner.replica,
        now() - 4 * MINUTE,
    )
    made = Run(runner, database)
    await made.phases(run, "First", "Second")
    await made.task(run, 0, "one", "started", waiting[0])
    await made.task(run, 1, "later", "pending", None)
    await database.execute(
        "UPDATE jobs.jobs SET parent_id = $1, root_id = $1, depth = 1, phase = 0, task_id = 'one'"
        " WHERE id = $2",
        run,
        waiting[0],
    )
    shown = await furnished.get(f"jobs/{run}/timeline")
    one, later = shown["tasks"]
    assert [each["cause"] for each in one["segments"]][-1] == "configuration_busy"
    assert [each["cause"] for each in later["segments"]] == ["earlier_phase"]
    assert shown["verdict"]["sentence"] == (
        "It has waited 3 min for its own task one, which held demo-extractor/one; it has run 2 min so far."
    )
    requested = (await furnished.post("orchestrations/daily/runs"))["job_id"]
    shown = await furnished.get(f"jobs/{requested}/timeline")
    assert [each["cause"] for each in shown["segments"]] == ["acceptance"]


async def test_lanes_tell_who_holds_and_who_waits(furnished: Client, runner: Runner) -> None:
    _, holder, waiting = await held_lane(runner)
    await runner.job("quiet", 1, "processing")
    await succeeded(runner, "slow", 5)
    await runner.job("slow", 6, "processing", started_at=now() - 13 * MINUTE)
    later = {"attempt": 1, "delayed": True, "due_at": now() + 5 * MINUTE}
    await runner.job("quiet", 2, "waiting", **later)
    page = await furnished.get("lanes")
    assert page["slots"] == {"runners": 1, "total": 1, "in_use": 1}
    busy, slow = page["items"]
    assert (busy["configuration"], busy["holder"]["id"]) == ("one", str(holder))
    assert [each["job"]["id"] for each in busy["waiting"]] == [str(job) for job in waiting]
    starts = [datetime.fromisoformat(each["expected_start"]) for each in busy["waiting"]]
    assert [round((at - starts[0]) / MINUTE) for at in starts] == [0, 10, 20]
    assert busy["sentence"].startswith("3 wait for daily #411, which has held it since ")
    assert (slow["configuration"], slow["longer_than_usual"], slow["waiting"]) == ("slow", True, [])
    assert slow["sentence"].endswith("longer than its usual 10 min.")
    everything = await furnished.get("lanes?all=true")
    names = ["one", "quiet", "slow", "daily"]
    assert [lane["configuration"] for lane in everything["items"]] == names
    paged, cursor = [], ""
    while cursor is not None:
        part = await furnished.get(f"lanes?all=true&limit=1{cursor and f'&cursor={cursor}'}")
        paged += [lane["configuration"] for lane in part["items"]]
        cursor = part["next"]
    assert paged == names


async def test_a_termination_is_shown_before_it_happens(
    furnished: Client, runner: Runner, database: Database
) -> None:
    run, _, waiting = await held_lane(runner)
    shown = await furnished.get(f"jobs/{run}/termination")
    assert shown["sentence"] == "Terminate daily #411? It has run for 5 min."
    assert shown["stopped_count"] == 1
    assert [each["job"]["id"] for each in shown["behind"]] == [str(job) for job in waiting]
    first, second, _ = (
        {
            key: each[key] and datetime.fromisoformat(each[key])
            for key in ("expected_start", "expected_start_after")
        }
        for each in shown["behind"]
    )
    assert first["expected_start"] - first["expected_start_after"] > 5 * MINUTE
    assert abs(second["expected_start_after"] - (now() + 10 * MINUTE)) < MINUTE
    stops, rest, behind = shown["consequences"]
    assert stops == "1 running task stops: demo-extractor/one."
    assert rest == "Tasks that have not started will not run."
    assert behind.startswith("demo-extractor/one #7 would start now instead of about ")
    assert behind.endswith(", and 2 more jobs earlier.")
    assert await database.fetchval("SELECT count(*) FROM jobs.jobs WHERE stop_requested_at IS NOT NULL") == 0


async def test_previews_of_a_task_of_a_waiting_job_and_of_one_that_has_ended(
    furnished: Client, runner: Runner, database: Database
) -> None:
    run, holder, waiting = await held_lane(runner)
    task = await furnished.get(f"jobs/{holder}/termination")
    assert task["sentence"].startswith(
        "Terminate demo-extractor/one of daily #411? It has run for 4 min, usually 10 min."
    )
    assert "daily #411 counts it as failed." in task["consequences"]
    second = await furnished.get(f"jobs/{waiting[1]}/termination")
    assert second["sentence"].endswith("It has not started and will be cancelled.")
    (third,) = second["behind"]
    assert third["job"]["id"] == str(waiting[2])
    moved = datetime.fromisoformat(third["expected_start"]) - datetime.fromisoformat(
        third["expected_start_after"]
    )
    assert moved == 10 * MINUTE
    assert (await furnished.get(f"jobs/{waiting[2]}/termination"))["behind"] == []
    await furnished.post(f"jobs/{run}/termination")
    ended = await runner.job("two", 1, "success")
    refused = await furnished.get(f"jobs/{ended}/termination", status=409)
    assert refused["detail"] == "the job has already ended with status 'success'"
