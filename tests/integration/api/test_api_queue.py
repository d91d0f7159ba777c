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
    sentence = (
        f"Third of 3, held by daily #411 since {held:%H:%M}, expected start about {expected:%H:%M} UTC."
    )
    assert shown["sentence"] == sentence
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
