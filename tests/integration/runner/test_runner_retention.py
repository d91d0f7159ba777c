"""The runner forgets what is old, in batches, with the rights of its own role."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.engine_world import World, definition, requested, task

from orchestrator_runner.queue.retention import BATCH, retention

TOMBSTONES = """
INSERT INTO jobs.tombstones (job_id, at)
SELECT gen_random_uuid(), clock_timestamp() - make_interval(days => $2) FROM generate_series(1, $1)
"""
REPLICAS = """
INSERT INTO jobs.replicas (id, name, slots, lease_until, lost_at)
SELECT gen_random_uuid(), name, 1, clock_timestamp(), clock_timestamp() - make_interval(days => days)
FROM (VALUES ('old', 8), ('young', 6), ('alive', NULL)) AS r (name, days)
"""


async def test_old_rows_and_lost_replicas_are_forgotten(database: Database) -> None:
    await database.execute(TOMBSTONES, BATCH + 1, 11)
    await database.execute(TOMBSTONES, 1, 9)
    await database.execute(REPLICAS)
    async with asyncpg.create_pool(database.url_for("runner"), min_size=1, max_size=1) as pool:
        forgotten = await retention(pool, days=10, log_days=10).once()
    assert {name: rows for name, rows in forgotten.items() if rows} == {
        "forget_tombstones": BATCH + 1,
        "forget_replicas": 1,
    }
    left = await database.fetch("SELECT name FROM jobs.replicas ORDER BY name")
    assert [row["name"] for row in left] == ["alive", "young"]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database) as world:
        await world.save("c", "a", {})
        await world.save("orchestrator", "o", definition([task("a")]))
        await world.add_replica()
        yield world
        await world.let_go()


AGED = """
UPDATE jobs.jobs SET finished_at = finished_at - make_interval(days => $1),
                     scheduled_for = scheduled_for - make_interval(days => $1)
"""


async def forget(world: World, **days: int) -> dict[str, int]:
    async with asyncpg.create_pool(world.database.url_for("runner"), min_size=1, max_size=1) as pool:
        forgotten = await retention(pool, **{"days": 90, "log_days": 30, **days}).once()
    return {name: rows for name, rows in forgotten.items() if rows}


async def run(world: World) -> UUID:
    request = requested("o")
    await world.replicas[0].accept([request])
    await world.finish()
    return request.job_id


async def test_runs_are_forgotten_with_all_below_them_but_for_the_last_success(world: World) -> None:
    """It is the next run's previous one: without it a component would take everything for new."""
    await run(world)
    last = await run(world)
    await world.admin.execute(AGED, 95)
    assert await forget(world) == {"forget_jobs": 2}
    left = await world.admin.fetch("SELECT root_id FROM jobs.jobs")
    assert [row["root_id"] for row in left] == [last, last]
    next_run = await run(world)
    previous = await world.admin.fetchval("SELECT previous_success FROM jobs.jobs WHERE id = $1", next_run)
    assert previous == await world.admin.fetchval("SELECT scheduled_for FROM jobs.jobs WHERE id = $1", last)


async def test_a_run_of_many_tasks_is_forgotten_in_batches(world: World) -> None:
    """Its tasks before itself: in one statement they might take longer than one may."""
    tasks = 10 * BATCH + 1
    first = await run(world)
    await run(world)
    await world.admin.execute(
        """INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin,
                                  parent_id, root_id, depth, phase, task_id, scheduled_for, requested_at,
                                  finished_at)
           SELECT gen_random_uuid(), lane_id, -n, project, component, configuration, kind, status, origin,
                  parent_id, root_id, depth, phase, 'more' || n, scheduled_for, requested_at, finished_at
           FROM jobs.jobs, generate_series(1, $2) AS n WHERE parent_id = $1""",
        first,
        tasks,
    )
    await world.admin.execute(AGED, 95)
    assert await forget(world) == {"forget_jobs": tasks + 2}
    assert await world.admin.fetchval("SELECT count(*) FROM jobs.jobs WHERE root_id = $1", first) == 0


async def test_logs_go_before_their_jobs_and_stay_while_one_runs(world: World) -> None:
    ended = await run(world)
    await world.replicas[0].accept([requested("o")])
    for _ in range(4):
        await world.replicas[0].engine.turn()
    await world.admin.execute(AGED, 31)
    await world.admin.execute(
        """INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text)
           SELECT id, 1, n, 'stdout', now() - make_interval(days => 28 + n), 'x'
           FROM jobs.jobs, generate_series(1, 3) AS n WHERE kind = 'component'"""
    )
    assert await forget(world) == {"forget_logs": 2}
    left = await world.admin.fetch(
        "SELECT l.seq FROM jobs.logs l JOIN jobs.jobs j ON j.id = l.job_id WHERE j.root_id = $1 ORDER BY 1",
        ended,
    )
    assert [row["seq"] for row in left] == [1]
    assert await world.admin.fetchval("SELECT count(*) FROM jobs.logs") == 4
