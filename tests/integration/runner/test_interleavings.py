"""Interleavings that once went wrong on paper: several replicas' parts at once, on a real PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.engine_world import PROJECT, SUCCESS, Replica, World, definition, requested, task
from tests.support.waiting import eventually

from orchestrator_runner.runs.jobs import Result
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import JobStatus, OverlapPolicy

LANES = "SELECT id FROM jobs.lanes ORDER BY id FOR UPDATE"
"""Held by a test, this stops every step, accept and termination once it has read what it acts upon."""
RUNS = "SELECT id FROM jobs.jobs WHERE kind = 'run' ORDER BY id FOR UPDATE"
"""Held by a test, this stops every step that has its lanes and is about to tell runs what ended."""
NEW_JOBS = "LOCK TABLE jobs.jobs IN SHARE MODE"
"""Held by a test, this stops whatever writes a job; all may read."""


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database, connections=12) as made:
        yield made
        await made.let_go()


@pytest.fixture
async def replicas(world: World) -> tuple[Replica, Replica]:
    return await world.add_replica(slots=100), await world.add_replica(slots=100)


async def start_together(world: World, gate: str, *parts: Coroutine[Any, Any, Any]) -> None:
    """Run these parts until each waits at the gate, one after the other, then let all go at once."""
    async with world.database.connection() as keeper:
        async with keeper.transaction():
            await keeper.execute(gate)
            tasks: list[asyncio.Task[Any]] = []
            for part in parts:
                tasks.append(asyncio.create_task(part))
                await eventually(lambda: waiting(world, len(tasks)))
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)


async def waiting(world: World, expected: int) -> bool:
    """Whether so many sessions wait for a lock."""
    found = await world.database.fetchval(
        """SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    )
    assert found == expected, f"{found} sessions wait"
    return True


def stop(job: UUID) -> TerminateRequested:
    return TerminateRequested(job_id=job, project=PROJECT)


async def started(replica: Replica, *names: str) -> list[UUID]:
    """Ask this replica for runs of these orchestrations, and let it start and claim all of them."""
    requests = [requested(name) for name in names]
    await replica.accept(requests)
    await replica.engine.turn()
    await replica.engine.turn()
    await asyncio.sleep(0)
    return [request.job_id for request in requests]


async def row(world: World, job: UUID) -> asyncpg.Record:
    found = await world.pool.fetchrow("SELECT * FROM jobs.jobs WHERE id = $1", job)
    assert found is not None, "not accepted"
    return found


async def ends_said(world: World, run: UUID) -> int:
    """How often the world was told that this run ended."""
    count: int = await world.pool.fetchval(
        """SELECT count(*) FROM jobs.outbox
           WHERE routing_key LIKE '%run.finished%' AND convert_from(body, 'UTF8') LIKE $1""",
        f'%"job_id":"{run}"%',
    )
    return count


def results_of(replica: Replica, *names: str) -> list[Result]:
    """Good results of the attempts that this replica has open, by configuration, in this order."""
    jobs = {job.configuration: job for job, _ in replica.open.values()}
    return [
        Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, SUCCESS)
        for job in (jobs[name] for name in names)
    ]


async def test_two_replicas_finish_a_phases_last_two_tasks_at_once(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    one, two = replicas
    await world.save(ORCHESTRATOR, "run", definition([task("a"), task("b")], [task("c")]))
    [run] = await started(one, "run")
    for replica, name in ((one, "a"), (two, "b")):
        replica.engine.report(results_of(one, name))

    # Neither sees the other's end when it plans; then both find that the run can go on.
    await start_together(world, LANES, one.engine.step(), two.engine.step())
    await start_together(world, LANES, one.engine.turn(), two.engine.turn())

    children = await world.pool.fetch("SELECT task_id, seq FROM jobs.jobs WHERE parent_id = $1", run)
    assert sorted(child["task_id"] for child in children) == ["a", "b", "c"]
    assert (await row(world, run))["status"] == "processing"
    await world.finish()
    assert (await row(world, run))["status"] == "success"
    assert await ends_said(world, run) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_batches_that_touch_the_same_runs_in_opposite_order(
    world: World, replicas: tuple[Replica, Replica], seed: int
) -> None:
    one, two = replicas
    runs = [f"run{number}" for number in range(8)]
    for name in runs:
        first = [task(f"{name}-a"), task(f"{name}-b")]
        await world.save(ORCHESTRATOR, name, definition(first, [task("shared")]))
    ids = await started(one, *runs)
    order = random.Random(seed).sample(runs, len(runs))
    one.engine.report(results_of(one, *(f"{name}-a" for name in order)))
    two.engine.report(results_of(one, *(f"{name}-b" for name in reversed(order))))

    # A deadlock would end one of the steps with an exception.
    await start_together(world, RUNS, one.engine.step(), two.engine.step())
    await start_together(world, LANES, one.engine.turn(), two.engine.turn())

    await world.finish()
    assert [(await row(world, run))["status"] for run in ids] == ["success"] * len(ids)


async def test_a_nul_byte_harms_no_other_result_of_its_batch(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    one, _ = replicas
    requests = [requested(f"c{number}", "c") for number in range(100)]
    await one.accept(requests)
    await one.engine.turn()
    await asyncio.sleep(0)
    bad = requests[42].job_id
    assert len(one.open) == 100
    for job in sorted(one.open):
        message = "broken \0 here" if job == bad else "fine"
        await one.end_attempt(job, Ending(JobStatus.SUCCESS, message))

    await one.engine.step()

    rows = await world.pool.fetch("SELECT id, status, error_kind, message, attempt FROM jobs.jobs")
    ends = {each["id"]: (each["status"], each["error_kind"], each["message"]) for each in rows}
    status, kind, message = ends.pop(bad)
    assert (status, kind) == ("error", "internal")
    assert message.startswith("the result cannot be stored")
    assert list(ends.values()) == [("success", None, "fine")] * 99
    assert {each["attempt"] for each in rows} == {1}


async def test_two_skip_requests_at_once_make_one_run(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    await world.save(ORCHESTRATOR, "run", definition([task("a")]))
    await started(replicas[0], "run")
    await world.finish()  # the lane is there and free
    requests = [requested("run", overlap=OverlapPolicy.SKIP) for _ in range(2)]

    accepts = [replica.accept([request]) for replica, request in zip(replicas, requests, strict=True)]
    await start_together(world, LANES, *accepts)

    runs = await world.pool.fetch("SELECT id FROM jobs.jobs WHERE finished_at IS NULL")
    records = await world.pool.fetch("SELECT job_id, decision, into_job_id FROM jobs.request_records")
    [accepted] = [each["id"] for each in runs]
    [skipped] = {request.job_id for request in requests} - {accepted}
    assert [tuple(record) for record in records] == [(skipped, "skipped", accepted)]


async def test_a_terminate_while_its_request_is_being_accepted(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    one, two = replicas
    request = requested("a", "c")
    async with world.database.connection() as keeper:
        async with keeper.transaction():
            await keeper.execute(NEW_JOBS)
            accepting = asyncio.create_task(one.accept([request]))
            await eventually(lambda: waiting(world, 1))
            terminating = asyncio.create_task(two.terminate(stop(request.job_id)))
            await eventually(lambda: over_or_waiting(world, terminating))
        async with asyncio.timeout(60):
            await asyncio.gather(accepting, terminating)

    assert (await row(world, request.job_id))["status"] == "cancelled"
    assert await world.pool.fetchval("SELECT count(*) FROM jobs.tombstones") == 0


async def over_or_waiting(world: World, task: "asyncio.Task[None]") -> bool:
    """Whether the second part has done what it can while the first waits."""
    return task.done() or await waiting(world, 2)


async def test_terminates_race_with_their_requests(world: World, replicas: tuple[Replica, Replica]) -> None:
    chance = random.Random(4)
    for number in range(20):
        request = requested(f"c{number}", "c")
        parts = [replicas[0].accept([request]), replicas[1].terminate(stop(request.job_id))]
        async with asyncio.timeout(60):
            await asyncio.gather(*(after(chance.random() * 0.004, part) for part in parts))

    rows = await world.pool.fetch("SELECT status, attempt FROM jobs.jobs")
    assert [tuple(each) for each in rows] == [("cancelled", 0)] * 20
    assert await world.pool.fetchval("SELECT count(*) FROM jobs.tombstones") == 0


async def after(delay: float, part: Coroutine[Any, Any, None]) -> None:
    """Run it a moment later."""
    await asyncio.sleep(delay)
    await part


@pytest.mark.parametrize("first", ["retry", "terminate"])
async def test_a_terminate_during_a_delay_meets_the_due_retry(
    world: World, replicas: tuple[Replica, Replica], first: str
) -> None:
    one, two = replicas
    await world.save(
        ORCHESTRATOR, "run", definition([task("a", attempts=2, attempt_delay_seconds=3600)], [task("b")])
    )
    [run] = await started(one, "run")
    [child] = one.open
    await one.fail_attempt(child)
    await one.engine.turn()
    assert (await row(world, child))["delayed"]
    await world.database.execute("UPDATE jobs.jobs SET due_at = clock_timestamp() WHERE id = $1", child)

    parts = [one.engine.turn(), two.terminate(stop(child))]
    await start_together(world, LANES, *(parts if first == "retry" else reversed(parts)))
    for replica in (one, two, one):
        await replica.engine.turn()
        await asyncio.sleep(0.01)

    assert (await row(world, child))["status"] == "terminated"
    await world.finish()
    assert (await row(world, run))["status"] == "error"
    outcomes = await world.pool.fetch("SELECT outcome FROM jobs.attempts WHERE job_id = $1", child)
    assert [each["outcome"] for each in outcomes] in (["error"], ["error", "terminated"])


async def test_nothing_is_promoted_past_a_job_that_is_terminating(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    one, two = replicas
    first, second, third = [requested("a", "c") for _ in range(3)]
    await one.accept([first, second])
    await one.engine.turn()
    await asyncio.sleep(0)
    assert list(one.open) == [first.job_id]

    await two.terminate(stop(first.job_id))
    await two.accept([third])  # it promotes what it can
    await two.terminate(stop(third.job_id))  # so does this
    for _ in range(3):
        await two.engine.turn()
    assert [(await row(world, each.job_id))["status"] for each in (first, second, third)] == [
        "terminating",
        "waiting",
        "cancelled",
    ]

    await eventually(lambda: turned_until_final(world, one, first.job_id))
    await two.engine.turn()
    ended, next_one = [await row(world, each.job_id) for each in (first, second)]
    assert ended["status"] == "terminated"
    assert next_one["status"] == "processing"
    assert next_one["started_at"] >= ended["finished_at"]


async def turned_until_final(world: World, replica: Replica, job: UUID) -> bool:
    await replica.engine.turn()
    return (await row(world, job))["finished_at"] is not None


async def test_two_replicas_find_one_circle_of_waiting_and_end_one_run_of_it(
    world: World, replicas: tuple[Replica, Replica]
) -> None:
    one, two = replicas
    await world.save(ORCHESTRATOR, "x", definition([task("a")], [task("y", component=ORCHESTRATOR)]))
    await world.save(ORCHESTRATOR, "y", definition([task("b")], [task("x", component=ORCHESTRATOR)]))
    runs = await started(one, "x", "y")
    one.engine.report(results_of(one, "a", "b"))
    await one.engine.step()  # each now waits behind the other

    await start_together(world, LANES, one.engine.turn(), two.engine.turn())

    victims = await world.pool.fetch(
        "SELECT id, parent_id FROM jobs.jobs WHERE message LIKE 'these runs wait for each other: %'"
    )
    assert len(victims) == 1
    assert victims[0]["parent_id"] in runs
    assert await ends_said(world, victims[0]["id"]) == 1
    await world.finish()
    assert [(await row(world, run))["status"] for run in runs] == ["error", "error"]
