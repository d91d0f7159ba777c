"""Claims under a parallel limit, with another part in between what they see and what they take."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.integration.runner.test_interleavings import start_together, stop, waiting
from tests.support.databases import Database
from tests.support.engine_replica import Replica
from tests.support.engine_world import PROJECT, World
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with World.open(database, connections=12) as made:
        yield made
        await made.let_go()


def gate(replica: Replica) -> str:
    """Held by a test, this stops the replica's claim once it has seen what is ready."""
    return f"SELECT id FROM jobs.replicas WHERE id = '{replica.id}' FOR UPDATE"


async def ready(world: World, replica: Replica, *names: str) -> list[UUID]:
    """So many jobs that may be claimed."""
    now = datetime.now(UTC)
    requests = [
        RunRequested(
            job_id=new_job_id(),
            project=PROJECT,
            component="c",
            configuration=name,
            origin=Origin.API,
            requested_at=now,
            scheduled_for=now,
        )
        for name in names
    ]
    await replica.accept(requests)
    return [request.job_id for request in requests]


async def states(world: World, *jobs: UUID) -> list[tuple[str, int]]:
    rows = await world.pool.fetch("SELECT id, status, epoch FROM jobs.jobs")
    found = {row["id"]: (row["status"], row["epoch"]) for row in rows}
    return [found[job] for job in jobs]


async def test_two_replicas_that_claim_at_once_keep_the_limit(world: World) -> None:
    one, two = await world.add_replica(), await world.add_replica()
    await world.limit(2)
    jobs = await ready(world, one, "a", "b", "e")

    await start_together(world, gate(two), two.engine.turn(), one.engine.turn())
    await asyncio.sleep(0)

    assert await states(world, *jobs) == [("processing", 1), ("processing", 1), ("ready", 0)]
    assert sorted([*one.open, *two.open]) == sorted(jobs[:2])


async def test_a_job_that_is_stopped_while_it_is_claimed_under_a_limit_stays_so(world: World) -> None:
    one, two = await world.add_replica(), await world.add_replica()
    await world.limit(2)
    jobs = await ready(world, one, "a", "b")

    await _with_a_claim_underway(world, one, two.terminate(stop(jobs[0])))

    assert await states(world, *jobs) == [("cancelled", 0), ("processing", 1)]


async def test_a_job_that_was_claimed_before_the_limit_was_set_is_not_claimed_again(world: World) -> None:
    one, two = await world.add_replica(), await world.add_replica()
    jobs = await ready(world, one, "a")
    await world.limit(2)

    async def claimed_as_long_as_there_was_no_limit() -> None:
        await world.admin.execute(
            """UPDATE jobs.jobs SET status = 'processing', epoch = 1, attempt = 1, replica_id = $2
               WHERE id = $1""",
            jobs[0],
            two.id,
        )

    await _with_a_claim_underway(world, one, claimed_as_long_as_there_was_no_limit())

    assert await states(world, *jobs) == [("processing", 1)]
    assert not one.open


async def _with_a_claim_underway(world: World, replica: Replica, other: Coroutine[Any, Any, None]) -> None:
    """Do the other thing after the replica's claim has seen what is ready, and before it takes it."""
    async with world.database.connection() as keeper:
        async with keeper.transaction():
            await keeper.execute(gate(replica))
            claim = asyncio.create_task(replica.engine.turn())
            await eventually(lambda: waiting(world, 1))
            await other
        async with asyncio.timeout(60):
            await claim
    await asyncio.sleep(0)
