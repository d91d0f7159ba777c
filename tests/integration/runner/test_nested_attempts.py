"""A nested orchestration that fails is attempted again, each time as a run of its own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.engine_replica import Replica
from tests.support.engine_world import World, definition, requested, task

from orchestrator_shared.contracts.commands import TerminateRequested
from orchestrator_shared.domain.statuses import OverlapPolicy


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database) as world:
        for name in ("a", "b"):
            await world.save("c", name, {})
        await world.save("orchestrator", "inner", definition([task("a")]))
        yield world
        await world.let_go()


async def begun(world: World, **fields: object) -> Replica:
    inner = task("inner", component="orchestrator", **fields)
    await world.save("orchestrator", "outer", definition([inner], [task("b")]))
    replica = await world.add_replica()
    await replica.accept([requested("outer")])
    await turns(replica)
    return replica


async def turns(replica: Replica) -> None:
    for _ in range(6):
        await replica.engine.turn()


async def end(replica: Replica, *, well: bool) -> None:
    """End the only attempt that is underway, and let the engine go on."""
    (job_id,) = replica.open
    await (replica.end_attempt if well else replica.fail_attempt)(job_id)
    await turns(replica)


async def inner_runs(world: World) -> list[asyncpg.Record]:
    return await world.pool.fetch(
        """SELECT j.*, t.job_id = j.id AS is_the_tasks
           FROM jobs.jobs j JOIN jobs.tasks t ON (t.run_id, t.task_id) = (j.parent_id, j.task_id)
           WHERE j.configuration = 'inner' ORDER BY j.seq"""
    )


async def outcome(world: World) -> tuple[str, str | None]:
    row = await world.pool.fetchrow("SELECT status, message FROM jobs.jobs WHERE configuration = 'outer'")
    assert row is not None
    return (row["status"], row["message"])


async def test_the_second_attempt_succeeds(world: World) -> None:
    replica = await begun(world, attempts=2)
    await end(replica, well=False)

    first, second = await inner_runs(world)
    assert (first["status"], second["status"]) == ("error", "processing")
    assert (second["retry_of"], second["is_the_tasks"]) == (first["id"], True)

    await end(replica, well=True)
    await end(replica, well=True)
    assert await outcome(world) == ("success", "")


async def test_the_attempts_are_used_up(world: World) -> None:
    replica = await begun(world, attempts=2)
    await end(replica, well=False)
    await end(replica, well=False)

    assert [run["status"] for run in await inner_runs(world)] == ["error", "error"]
    assert await outcome(world) == ("error", "failed: inner")


async def test_an_error_that_is_not_to_be_retried_ends_it(world: World) -> None:
    replica = await begun(world, attempts=3, retry_on="internal")
    await end(replica, well=False)

    assert len(await inner_runs(world)) == 1
    assert await outcome(world) == ("error", "failed: inner")


async def test_the_next_attempt_waits_for_its_delay(world: World) -> None:
    replica = await begun(world, attempts=2, attempt_delay_seconds=600)
    await end(replica, well=False)

    _, second = await inner_runs(world)
    assert (second["status"], second["delayed"]) == ("waiting", True)
    # Two readings of the clock, a microsecond apart or a slow moment.
    assert (second["due_at"] - second["requested_at"]).total_seconds() == pytest.approx(600, abs=10)

    await world.let_delays_pass()
    await turns(replica)
    await end(replica, well=True)
    await end(replica, well=True)
    assert (await outcome(world))[0] == "success"


async def test_a_circle_through_an_attempt_whose_delay_has_passed_is_found(world: World) -> None:
    """outer waits for its second attempt of inner, that for the inner which runs outer, and so on."""
    replica = await begun(world, attempts=2, attempt_delay_seconds=600)
    await end(replica, well=False)
    await world.save("orchestrator", "inner", definition([task("outer", component="orchestrator")]))
    await replica.accept([requested("inner")])
    await turns(replica)
    assert [run["status"] for run in await inner_runs(world)] == ["error", "waiting"]

    await world.finish()

    message = await world.pool.fetchval("SELECT message FROM jobs.jobs WHERE message LIKE 'these runs%'")
    assert "outer" in message


async def test_a_stop_during_the_delay_ends_all(world: World) -> None:
    replica = await begun(world, attempts=2, attempt_delay_seconds=600)
    await end(replica, well=False)
    outer = await world.pool.fetchval("SELECT id FROM jobs.jobs WHERE configuration = 'outer'")

    await replica.terminate(TerminateRequested(job_id=outer, project="p"))
    await turns(replica)

    assert [run["status"] for run in await inner_runs(world)] == ["error", "cancelled"]
    assert (await outcome(world))[0] == "terminated"


async def test_two_replicas_make_one_attempt_of_it(world: World) -> None:
    replica = await begun(world, attempts=2)
    other = await world.add_replica()
    (job_id,) = replica.open
    await replica.fail_attempt(job_id)
    for _ in range(6):
        await replica.engine.turn()
        inner = await world.pool.fetchval("SELECT id FROM jobs.jobs WHERE configuration = 'inner'")
        other.engine.reconcile_runs([inner], [])
        await other.engine.turn()

    assert len(await inner_runs(world)) == 2


async def test_a_skipped_request_for_a_component_that_comes_again_stays_skipped(world: World) -> None:
    """It was taken for a request with the id of an orchestration's run, and refused."""
    replica = await world.add_replica()
    skipped = requested("a", "c", overlap=OverlapPolicy.SKIP)
    await replica.accept([requested("a", "c"), skipped])
    await replica.accept([skipped])
    assert await world.pool.fetchval("SELECT count(*) FROM jobs.jobs") == 1
