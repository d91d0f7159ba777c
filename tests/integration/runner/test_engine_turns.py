"""What a replica's engine does between two waits, and in which order."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from tests.support.databases import Database
from tests.support.engine_replica import Replica
from tests.support.engine_world import World, definition, requested, task

from orchestrator_runner.queue.step_input import StepInput, StepResult
from orchestrator_runner.runs.plan import RunPlan, plan_run
from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.domain.statuses import Origin


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database) as world:
        for name in ("a", "b"):
            await world.save("c", name, {})
        yield world
        await world.let_go()


async def turns(replica: Replica, count: int = 3) -> None:
    for _ in range(count):
        await replica.engine.turn()


async def test_a_result_is_written_while_runs_keep_coming(world: World) -> None:
    """They may come as fast as they are started."""
    replica = await world.add_replica()
    for number in range(150):
        await world.save("orchestrator", f"o{number}", definition([task("a")]))
    await replica.accept([requested("b", "c", origin=Origin.API)])
    await turns(replica)
    (job_id,) = replica.open
    await replica.end_attempt(job_id)
    for first in range(0, 150, 50):
        await replica.accept([requested(f"o{number}") for number in range(first, first + 50)])
    replica.engine.look_around()
    order: list[str] = []
    starter, stepper = replica.engine._starter, replica.engine._stepper
    start, step = starter.start, stepper.step

    async def starting(runs: Sequence[UUID], slots: int) -> StepResult:
        order.append("start")
        return await start(runs, slots)

    async def stepping(step_input: StepInput) -> StepResult:
        order.append("step")
        return await step(step_input)

    starter.start, stepper.step = starting, stepping  # type: ignore[method-assign]
    await turns(replica, 1)
    assert order[:2] == ["start", "step"]


async def test_a_limited_projects_next_phase_does_not_wait_for_a_poll(world: World) -> None:
    """No slot idles while an admissible job waits; each phase of a limited project costs up to a second."""
    await world.limit(5)
    await world.save("orchestrator", "o", definition([task("a")], [task("b")]))
    replica = await world.add_replica()
    await replica.accept([requested("o")])
    await turns(replica)
    replica.engine._poll_seconds = 3600
    await replica.engine._poll()  # while the first phase's job is underway
    (job_id,) = replica.open
    await replica.end_attempt(job_id)
    await turns(replica, 6)
    assert replica.open


async def test_a_request_whose_details_are_no_longer_kept_does_not_run_everything(world: World) -> None:
    """The api forgets them after a week, when a job was never heard of; a dead letter is replayed later."""
    await world.save("orchestrator", "o", definition([task("a"), task("b")]))
    replica = await world.add_replica()
    await replica.accept([requested("o", details=True)])
    await turns(replica)
    job = await world.admin.fetchrow("SELECT status, error_kind, message FROM jobs.jobs")
    assert job is not None
    assert (job["status"], job["error_kind"]) == ("error", "user")
    assert "request the run again" in job["message"]
    await replica.publish()
    said = [message.routing_key for message in world.exchange.published]
    assert [key for key in said if key.startswith("run.")] == ["run.created", "run.finished"]


async def test_what_was_stopped_before_it_began_is_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed ahead and stopped in line: it certainly did nothing."""
    replica = await world.add_replica(slots=1)
    await replica.accept([requested(name, "c", origin=Origin.API) for name in "ab"])
    monkeypatch.setattr(replica.engine._slots, "room", lambda _: (2 - len(replica.engine.jobs), 0))
    await turns(replica)
    (held,) = replica.engine.jobs - set(replica.open)
    await replica.terminate(TerminateRequested(job_id=held, project="p"))
    await turns(replica)
    job = await world.admin.fetchrow("SELECT status, attempt, started_at FROM jobs.jobs WHERE id = $1", held)
    assert job is not None
    assert tuple(job) == ("cancelled", 0, None)
    assert await world.admin.fetchval("SELECT count(*) FROM jobs.attempts WHERE job_id = $1", held) == 0


async def test_runs_with_very_many_tasks_do_not_all_start_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one transaction might take longer than any may, each time anew."""
    monkeypatch.setattr("orchestrator_runner.queue.starts.MOST_TASKS", 2)
    for name in ("x", "y", "z"):
        await world.save("orchestrator", name, definition([task("a"), task("b")]))
    replica = await world.add_replica()
    await replica.accept([requested(name) for name in ("x", "y", "z")])
    begun = []
    for _ in range(3):
        await turns(replica, 1)
        begun.append(await world.admin.fetchval("SELECT count(DISTINCT run_id) FROM jobs.phases"))
    assert begun == [1, 2, 3]


async def test_a_run_that_cannot_be_laid_out_ends_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A definition that our code did not expect must not end every replica, one after the other."""

    def failing(definition: dict[str, Any], *others: Any) -> RunPlan:
        if len(definition["phases"]) == 2:
            raise KeyError("phases")
        return plan_run(definition, *others)

    monkeypatch.setattr("orchestrator_runner.queue.starts.plan_run", failing)
    await world.save("orchestrator", "broken", definition([task("a")], [task("b")]))
    await world.save("orchestrator", "sound", definition([task("a")]))
    replica = await world.add_replica()
    await replica.accept([requested("broken"), requested("sound")])
    await turns(replica)
    rows = await world.admin.fetch("SELECT configuration, status, error_kind FROM jobs.jobs WHERE depth = 0")
    assert {tuple(row) for row in rows} == {("broken", "error", "internal"), ("sound", "processing", None)}
