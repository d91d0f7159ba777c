"""A runner leaves in the middle of a job in a container: the next one continues with it and with its log."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from tests.support.databases import Database
from tests.support.docker_engine import PrivateEngine
from tests.support.docker_harness import DockerHarness, shell_image
from tests.support.engine_world import World, requested
from tests.support.image_registry import Registry
from tests.support.waiting import eventually

from orchestrator_runner.queue.recovery import attempts_underway

SCRIPT = """for n in $(seq 400); do echo "line $n has $SECRET"; sleep 0.01; done
echo '{"message": "all"}' >result.json"""
SECRET = "k3y-of-mine"


@pytest.fixture
async def harness(engine: PrivateEngine, registry: Registry) -> AsyncIterator[DockerHarness]:
    made = DockerHarness(engine, registry, shell_image(registry))
    yield made
    made.remove_all()


@pytest.fixture
async def world(database: Database, harness: DockerHarness) -> AsyncIterator[World]:
    section = {
        "image": harness.image,
        "network": "none",
        "environment": {"BEHAVIOUR": "shell", "SCRIPT": SCRIPT, "SECRET": SECRET, "API_TOKEN": SECRET},
    }
    async with World.open(database) as made:
        await made.admin.execute(
            "UPDATE catalog.components SET executor = 'docker', definition = $1 WHERE id = 'd'",
            {"executor": "docker", "docker": section},
        )
        yield made
        await made.let_go()


async def log_of(world: World, job: UUID) -> str:
    sql = "SELECT string_agg(text, '' ORDER BY seq) FROM jobs.logs WHERE job_id = $1 AND stream = 'stdout'"
    return str(await world.pool.fetchval(sql, job) or "")


async def test_the_log_of_a_job_that_changes_runners_is_whole(world: World, harness: DockerHarness) -> None:
    """Nothing is missing, nothing comes twice, and the secret is masked on both sides of the change."""
    await world.save("d", "a", {})
    request = requested("a", "d")
    underway = attempts_underway(world.pool)
    harness.underway = underway  # type: ignore[method-assign,assignment]
    async with harness.opened() as executor, harness.opened() as next_executor:
        first = await world.add_replica(executors={"docker": executor})
        await first.accept([request])
        await first.engine.turn()

        async def has_begun() -> bool:
            return "line 50 " in await log_of(world, request.job_id)

        await eventually(has_begun, timeout=30)
        executor.leave()
        await eventually(lambda: not first.engine.running)
        assert "line 400 " not in await log_of(world, request.job_id)
        await world.expire(first)
        second = await world.add_replica(executors={"docker": next_executor})
        await second.recovery.reap()

        async def is_over() -> bool:
            await second.engine.turn()
            sql = "SELECT finished_at IS NOT NULL FROM jobs.jobs WHERE id = $1"
            return bool(await world.pool.fetchval(sql, request.job_id))

        await eventually(is_over, timeout=30)
        await eventually(lambda: not harness.names())
    row = await world.pool.fetchrow("SELECT * FROM jobs.jobs WHERE id = $1", request.job_id)
    assert row is not None
    assert (row["status"], row["message"], row["attempt"]) == ("success", "all", 1)
    assert await log_of(world, request.job_id) == "".join(f"line {n} has ***\n" for n in range(1, 401))
    assert harness.starts() == 1
