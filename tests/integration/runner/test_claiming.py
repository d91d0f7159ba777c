"""Which jobs a replica takes, also ahead of free slots, and how it gives back what it has not begun."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.engine_replica import Replica
from tests.support.engine_world import PROJECT, World, definition, task

from orchestrator_runner.queue.lanes import Lanes
from orchestrator_runner.queue.starts import Starter
from orchestrator_runner.queue.step import Stepper
from orchestrator_runner.queue.step_input import StepInput, StepResult
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_runner.runs.phase_cache import PhaseCache
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import JobStatus, Origin
from orchestrator_shared.messaging.outbox import Outbox


class Hand:
    """A replica's engine, step by step."""

    def __init__(self, world: World, replica: Replica) -> None:
        phase_cache = PhaseCache()
        outbox = Outbox(schema="jobs", source="/runner", pool=world.pool, publisher=world.exchange)
        self.replica = replica
        self.stepper = Stepper(world.pool, outbox, phase_cache, replica.id)
        self.starter = Starter(world.pool, outbox, Lanes(), phase_cache, replica.id)

    async def claim(self, slots: int, ahead: int = 0) -> list[ClaimedJob]:
        return (await self.stepper.step(StepInput(slots=slots, ahead=ahead, backlog=True))).claimed

    async def start(self, slots: int) -> StepResult:
        return await self.starter.start(await self.starter.ready(10), slots)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database) as world:
        yield world


@pytest.fixture
async def hand(world: World) -> Hand:
    return Hand(world, await world.add_replica())


async def ready_jobs(world: World, hand: Hand, *tasks: tuple[str, str]) -> None:
    """One run with these (component, name) tasks in its only phase, all ready, in this order."""
    for component, name in tasks:
        await world.save(component, name, {})
    phase = [task(name, component=component) for component, name in tasks]
    await world.save("orchestrator", "all", definition(phase))
    await requested(hand, "all")
    await hand.start(slots=0)
    await world.pool.execute(
        """UPDATE jobs.jobs j SET ready_at = r.accepted_at + t.position * interval '1 ms'
           FROM jobs.tasks t JOIN jobs.jobs r ON r.id = t.run_id WHERE t.job_id = j.id"""
    )


async def row(world: World, sql: str, *values: object) -> asyncpg.Record:
    found = await world.pool.fetchrow(sql, *values)
    assert found is not None
    return found


async def requested(hand: Hand, name: str) -> None:
    now = datetime.now(UTC)
    await hand.replica.accept(
        [
            RunRequested(
                job_id=new_job_id(),
                project=PROJECT,
                configuration=name,
                origin=Origin.API,
                requested_at=now,
                scheduled_for=now,
            )
        ]
    )


async def test_only_what_may_run_again_is_claimed_ahead_of_free_slots(world: World, hand: Hand) -> None:
    await ready_jobs(world, hand, ("d", "a"), ("d", "b"), ("d", "e"), ("c", "f"), ("d", "g"), ("c", "h"))

    claimed = await hand.claim(slots=2, ahead=3)

    assert [job.configuration for job in claimed] == ["a", "b", "f"], "h is too far back, e and g may not"
    assert [job.configuration for job in await hand.claim(slots=0, ahead=3)] == ["h"]
    assert [job.configuration for job in await hand.claim(slots=9)] == ["e", "g"]


async def test_a_job_given_back_is_as_if_it_had_never_been_claimed(world: World, hand: Hand) -> None:
    other = Hand(world, await world.add_replica())
    await ready_jobs(world, hand, ("d", "a"))
    before = await row(world, "SELECT * FROM jobs.jobs WHERE kind = 'component'")
    (job,) = await hand.claim(slots=1)

    await hand.stepper.step(StepInput(results=[Result.given_back(job, "no slot")]))

    after = await row(world, "SELECT * FROM jobs.jobs WHERE kind = 'component'")
    changed = {name for name, value in before.items() if after[name] != value}
    assert changed == {"epoch", "revision", "message"}
    assert await world.pool.fetchval("SELECT count(*) FROM jobs.attempts") == 0
    (again,) = await other.claim(slots=1)
    assert (again.attempt, again.epoch) == (1, job.epoch + 1)
    late = Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, Ending(JobStatus.SUCCESS))
    await hand.stepper.step(StepInput(results=[late]))
    assert await world.pool.fetchval("SELECT status FROM jobs.jobs WHERE id = $1", job.id) == "processing"


async def test_giving_back_between_attempts_keeps_what_they_cost(world: World, hand: Hand) -> None:
    await ready_jobs(world, hand, ("d", "a"))
    (job,) = await hand.claim(slots=1)
    again = Ending(JobStatus.WAITING, "broke")
    await hand.stepper.step(StepInput(results=[Result(job.id, 1, job.lane_id, job.run_id, job.phase, again)]))
    (second,) = await hand.claim(slots=1)

    await hand.stepper.step(StepInput(results=[Result.given_back(second, "no slot")]))

    after = await row(world, "SELECT * FROM jobs.jobs WHERE id = $1", job.id)
    assert (after["status"], after["attempt"], after["free_attempts"]) == ("ready", 1, 0)
    assert after["started_at"] is not None
    left = await row(world, "SELECT attempt, outcome FROM jobs.attempts")
    assert tuple(left) == (1, "error")


async def test_a_job_stopped_before_it_began_ends(world: World, hand: Hand) -> None:
    await ready_jobs(world, hand, ("c", "a"))
    (job,) = await hand.claim(slots=1)
    await hand.replica.terminate(TerminateRequested(job_id=job.id, project=PROJECT))

    await hand.stepper.step(StepInput(results=[Result.given_back(job, "stopped")]))

    assert await world.pool.fetchval("SELECT status FROM jobs.jobs WHERE id = $1", job.id) == "cancelled"


async def test_who_starts_a_run_begins_its_first_jobs_with_the_slots_it_has(world: World, hand: Hand) -> None:
    for name in "abc":
        await world.save("c", name, {})
    await world.save("orchestrator", "all", definition([task(name) for name in "abc"]))
    await requested(hand, "all")

    done = await hand.start(slots=2)

    assert {job.configuration for job in done.claimed} == {"a", "b"}
    assert done.backlog, "c is left"
    rows = await world.pool.fetch(
        """SELECT j.configuration, j.status, j.epoch, j.attempt, j.version, a.replica_id
           FROM jobs.jobs j LEFT JOIN jobs.attempts a ON a.job_id = j.id
           WHERE j.kind = 'component' ORDER BY j.configuration"""
    )
    mine = hand.replica.id
    assert [tuple(row) for row in rows] == [
        ("a", "processing", 1, 1, 1, mine),
        ("b", "processing", 1, 1, 1, mine),
        ("c", "ready", 0, 0, 1, None),
    ]


@pytest.mark.parametrize(
    "reason",
    [
        "UPDATE jobs.replicas SET lease_until = clock_timestamp() - interval '1 s'",
        "UPDATE jobs.replicas SET lost_at = clock_timestamp()",
        "UPDATE catalog.projects SET parallel_limit = 5",
    ],
    ids=["lease over", "lost", "project limited"],
)
async def test_first_jobs_are_left_ready(world: World, hand: Hand, reason: str) -> None:
    await world.save("c", "a", {})
    await world.save("orchestrator", "all", definition([task("a")]))
    await requested(hand, "all")
    await world.database.execute(reason)

    done = await hand.start(slots=2)

    assert done.claimed == []
    assert done.backlog
    assert await world.pool.fetchval("SELECT status FROM jobs.jobs WHERE kind = 'component'") == "ready"


async def test_new_jobs_stand_in_line_behind_those_that_have_waited(world: World, hand: Hand) -> None:
    for name in "ab":
        await world.save("c", name, {})
    await world.save("orchestrator", "one", definition([task("a")], [task("b")]))
    await requested(hand, "one")
    (job,) = (await hand.start(slots=1)).claimed
    done = Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, Ending(JobStatus.SUCCESS))
    await world.save("c", "older", {})
    await world.save("orchestrator", "two", definition([task("older")]))
    await requested(hand, "two")
    assert (await hand.start(slots=0)).backlog

    step = await hand.stepper.step(StepInput(results=[done], slots=1, backlog=True))

    assert [job.configuration for job in step.claimed] == ["older"]
    assert step.backlog
