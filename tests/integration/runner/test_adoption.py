"""Attempts that outlive their runner: by their handles another one adopts them, whatever the executor."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.engine_replica import Replica
from tests.support.engine_world import World, requested
from tests.support.executor_conformance import Behaviour
from tests.support.fake_executor import Cluster, FakeExecutor
from tests.support.waiting import eventually

EXECUTOR = "docker"
"""Some name that the database allows: which one is nobody's business but the wiring's."""


class Stage:
    """Two replicas on one cluster; the job's program hangs until it is released."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = Cluster()

    async def begun(self, replica: Replica) -> UUID:
        """A job whose program runs, found by its handle."""
        await self.world.save("c", "a", {"behaviour": Behaviour.HANG})
        request = requested("a", "c")
        await replica.accept([request])
        await replica.engine.turn()
        await eventually(lambda: self.kept(request.job_id))
        return request.job_id

    async def lose(self, replica: Replica, executor: FakeExecutor) -> None:
        """It is gone, and what it began goes on."""
        executor.leave()
        await eventually(lambda: not replica.engine.running)
        await self.world.expire(replica)

    async def kept(self, job: UUID) -> bool:
        sql = "SELECT handle IS NOT NULL FROM jobs.attempts WHERE job_id = $1"
        return bool(await self.world.pool.fetchval(sql, job))

    async def job(self, job: UUID) -> asyncpg.Record:
        row = await self.world.pool.fetchrow("SELECT * FROM jobs.jobs WHERE id = $1", job)
        assert row is not None
        return row

    async def ended(self, replica: Replica, job: UUID) -> asyncpg.Record:
        async def is_over() -> bool:
            await replica.engine.turn()
            return (await self.job(job))["finished_at"] is not None

        await eventually(is_over)
        return await self.job(job)


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with World.open(database) as world:
        await world.admin.execute("UPDATE catalog.components SET executor = $1 WHERE id = 'c'", EXECUTOR)
        yield Stage(world)
        await world.let_go()


async def test_another_replica_goes_on_with_the_same_attempt(stage: Stage) -> None:
    executor = FakeExecutor(stage.cluster)
    first = await stage.world.add_replica(executors={EXECUTOR: executor})
    second = await stage.world.add_replica(executors={EXECUTOR: FakeExecutor(stage.cluster)})
    job = await stage.begun(first)
    await stage.lose(first, executor)
    await second.recovery.reap()
    assert second.engine.jobs == {job}
    stage.cluster.release()
    ended = await stage.ended(second, job)
    assert (ended["status"], ended["attempt"], ended["epoch"]) == ("success", 1, 2)
    assert stage.cluster.started == [(job, 1)]


async def test_a_component_with_another_executor_now_loses_its_attempt(stage: Stage) -> None:
    """The new one cannot find it: decided as for a lost runner, and `after_crash` says rerun."""
    executor = FakeExecutor(stage.cluster)
    adopting = {EXECUTOR: executor, "kubernetes": FakeExecutor(Cluster())}
    first, second = (
        await stage.world.add_replica(executors=adopting),
        await stage.world.add_replica(executors=adopting),
    )
    job = await stage.begun(first)
    await stage.world.admin.execute("UPDATE catalog.components SET executor = 'kubernetes' WHERE id = 'c'")
    await stage.lose(first, executor)
    await second.recovery.reap()
    await eventually(lambda: not second.engine.running)
    await second.engine.turn()
    row = await stage.world.pool.fetchrow("SELECT * FROM jobs.attempts WHERE job_id = $1", job)
    assert row is not None
    assert row["outcome"] == "lost"
    assert row["message"] == "runner lost: the component's executor is 'kubernetes' now"


async def test_what_is_not_underway_is_removed_when_a_replica_is_lost(stage: Stage) -> None:
    """Its job was stopped in the database while nobody could reach the cluster."""
    executor = FakeExecutor(stage.cluster)
    first = await stage.world.add_replica(executors={EXECUTOR: executor})
    job = await stage.begun(first)
    await stage.lose(first, executor)
    await stage.world.admin.execute(
        """UPDATE jobs.jobs SET status = 'error', error_kind = 'user', finished_at = clock_timestamp()
           WHERE id = $1""",
        job,
    )
    second = await stage.world.add_replica(executors={EXECUTOR: FakeExecutor(stage.cluster)})
    await second.recovery.reap()
    assert not stage.cluster.pods
