"""Every statement of the runner that writes jobs: who does not own them, or comes late, writes nothing."""

import ast
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.integration.runner.test_interleavings import stop
from tests.support.databases import Database
from tests.support.engine_replica import SUCCESS, Replica
from tests.support.engine_world import World, definition, requested, task

from orchestrator_runner.executors.port import ExecutionLost
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_runner.queue.claim_store import ClaimStore
from orchestrator_runner.queue.lanes import LaneStore
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.database.pool import transaction
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus


def named(queries: Queries) -> list[tuple[str, str]]:
    return [(name, queries[name]) for name in queries]


PACKAGE, LOGS = "orchestrator_runner.queue", "orchestrator_runner.logs"
FILES = sorted(
    (package, file.name)
    for package in (PACKAGE, LOGS)
    for file in resources.files(package).iterdir()
    if file.name.endswith(".sql")
)
QUERIES = {
    name: queries
    for package, file in FILES
    if file != "termination.sql"
    for queries in [Queries.load(package, file)]
    for name in queries
}
TABLES = ("jobs", "attempts", "logs", "configuration_states", "tasks", "phases")
WRITE = re.compile(
    rf"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+jobs\.({'|'.join(TABLES)})\b", re.I
)

GUARDED_ELSEWHERE = {
    "insert_job": "test_lifecycle_machine.py::test_random_histories_keep_the_rules",
    "insert_phases_and_tasks": "test_lifecycle_machine.py::test_random_histories_keep_the_rules",
    "merge_into": "test_overlap.py::test_later_fires_merge_into_the_one_that_waits",
    "create_children": "test_interleavings.py::test_two_replicas_finish_a_phases_last_two_tasks_at_once",
    "apply_results": "test_interleavings.py::test_two_replicas_finish_a_phases_last_two_tasks_at_once",
    "repeat_run": "test_nested_attempts.py::test_two_replicas_make_one_attempt_of_it",
    "forget_jobs": "test_runner_retention.py::test_old_rows_and_lost_replicas_are_forgotten",
    "forget_logs": "test_runner_retention.py::test_old_rows_and_lost_replicas_are_forgotten",
}
"""Written only under locks that these tests show to be needed, or long after the end."""


@dataclass
class Scene:
    """`job` was claimed by `first`, which was lost, and then by `second`; the lease of `late` ran out."""

    world: World
    first: Replica
    second: Replica
    late: Replica
    job: UUID
    lane: int


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    async with World.open(database) as world:
        first, second = await world.add_replica(slots=1), await world.add_replica(slots=1)
        late = await world.add_replica(slots=1)
        request = requested("a", "c")
        await first.accept([request])
        await first.engine.turn()
        await world.expire(first)
        await second.recovery.reap()
        for _ in range(2):
            await second.engine.turn()
        await world.expire(late)
        for replica, epoch in ((first, 1), (second, 2)):
            assert replica.open[request.job_id][0].epoch == epoch
        yield Scene(world, first, second, late, request.job_id, first.open[request.job_id][0].lane_id)
        await world.let_go()


async def execute(world: World, name: str, **values: Any) -> None:
    """Run a statement by itself, as the runner's role."""
    await world.pool.execute(QUERIES[name][name], *QUERIES[name].arguments(name, values))


async def everything(world: World) -> str:
    """All that is stored of jobs."""
    tables = ", ".join(f"(SELECT jsonb_agg(t ORDER BY t::text) FROM jobs.{table} t)" for table in TABLES)
    return json.dumps(await world.admin.fetchval(f"SELECT jsonb_build_array({tables})"))


async def writes(world: World, write: Awaitable[Any]) -> bool:
    """Whether it changes anything."""
    before = await everything(world)
    with contextlib.suppress(ExecutionLost):
        await write
    return await everything(world) != before


Write = Callable[[World, Replica, ClaimedJob], Awaitable[Any]]


async def finish(world: World, replica: Replica, job: ClaimedJob) -> None:
    """Also `save_states`: of the jobs that `finish_jobs` returned, in its transaction."""
    result = Result(job.id, job.epoch, job.lane_id, None, None, SUCCESS, (), {"epoch": job.epoch})
    async with transaction(world.pool) as connection:
        await ClaimStore(connection).finish(results=[result])


async def try_again(world: World, replica: Replica, job: ClaimedJob) -> None:
    ending = Ending(JobStatus.WAITING, "again", free=True)
    async with transaction(world.pool) as connection:
        result = Result(job.id, job.epoch, job.lane_id, None, None, ending)
        await ClaimStore(connection).finish(results=[result])


async def fail(world: World, replica: Replica, job: ClaimedJob) -> None:
    ending = Ending(JobStatus.ERROR, "no", ErrorKind.USER)
    async with transaction(world.pool) as connection:
        result = Result(job.id, job.epoch, job.lane_id, None, None, ending)
        await ClaimStore(connection).finish(results=[result])


async def append_log(world: World, replica: Replica, job: ClaimedJob) -> None:
    await replica.logs.append(job, [LogChunk(1, datetime.now(UTC), "stdout", "x")])


async def keep_handle(world: World, replica: Replica, job: ClaimedJob) -> None:
    await execute(world, "keep_handle", job=job.id, epoch=job.epoch, handle={"#run": "x"})


async def expect_callbacks(world: World, replica: Replica, job: ClaimedJob) -> None:
    await execute(world, "expect_callbacks", job=job.id, epoch=job.epoch, callback_hash=b"hash")


FENCED: dict[str, Write] = {
    "finish_jobs": finish,
    "finish_jobs, to try again": try_again,
    "finish_jobs, as a failure": fail,
    "save_states": finish,
    "append_logs": append_log,
    "keep_handle": keep_handle,
    "expect_callbacks": expect_callbacks,
}


@pytest.mark.parametrize("asked_to_stop", [False, True])
@pytest.mark.parametrize("name", FENCED)
async def test_a_stale_epoch_writes_nothing(scene: Scene, name: str, asked_to_stop: bool) -> None:
    if asked_to_stop:
        await scene.second.terminate(stop(scene.job))
    stale, current = (replica.open[scene.job][0] for replica in (scene.first, scene.second))

    assert not await writes(scene.world, FENCED[name](scene.world, scene.first, stale))
    assert await writes(scene.world, FENCED[name](scene.world, scene.second, current))
    for job in (stale, current) if name.startswith(("finish", "save")) else ():
        assert not await writes(scene.world, FENCED[name](scene.world, scene.first, job)), "it is over"


async def claim(world: World, replica: Replica) -> None:
    await replica.engine.turn()


async def claim_in_limited_project(world: World, replica: Replica) -> None:
    await world.limit(5)
    await replica.engine.turn()


async def adopt(world: World, replica: Replica) -> None:
    await execute(world, "adopt", replica=replica.id, most=5, strays=[])


CLAIMS = {"claim": claim, "claim, in a limited project": claim_in_limited_project, "adopt": adopt}


@pytest.mark.parametrize("who", ["first", "late"])
@pytest.mark.parametrize("name", CLAIMS)
async def test_a_replica_without_a_lease_takes_nothing(scene: Scene, name: str, who: str) -> None:
    world = scene.world
    if name == "adopt":  # a run at another service, of a replica that is lost too
        await world.admin.execute("UPDATE catalog.components SET executor = 'http' WHERE id = 'c'")
        await keep_handle(world, scene.second, scene.second.open[scene.job][0])
        await world.admin.execute("UPDATE jobs.replicas SET lost_at = now() WHERE id = $1", scene.second.id)
    else:
        await scene.second.accept([requested("b", "c")])

    assert not await writes(world, CLAIMS[name](world, getattr(scene, who)))
    assert await writes(world, CLAIMS[name](world, await world.add_replica()))


async def promote(scene: Scene) -> None:
    async with transaction(scene.world.pool) as connection:
        await LaneStore(connection).promote(lanes=[scene.lane])


async def test_nothing_is_promoted_in_a_lane_that_is_not_free_or_before_it_is_due(scene: Scene) -> None:
    """`promote`"""
    await scene.second.accept([requested("a", "c")])
    assert not await writes(scene.world, promote(scene))

    await try_again(scene.world, scene.second, scene.second.open[scene.job][0])
    await scene.world.admin.execute(
        """UPDATE jobs.jobs SET delayed = true, due_at = clock_timestamp() + interval '1 hour'
           WHERE lane_id = $1 AND status = 'waiting'""",
        scene.lane,
    )
    assert not await writes(scene.world, promote(scene))

    await scene.world.let_delays_pass()
    assert await writes(scene.world, promote(scene))


LATE: dict[str, tuple[str, Callable[[UUID], dict[str, Any]]]] = {
    "start_runs": (
        "ready",
        lambda run: {"runs": [run], "versions": [1], "full_runs": [True], "used": [None], "tokens": [None]},
    ),
    "refuse_run": (
        "ready",
        lambda run: {"run": run, "message": "no", "error_kind": "user", "version": 1},
    ),
    "withdraw_runs": (
        "ready",
        lambda run: {"runs": [run], "messages": ["its updates were used by c #1"], "used_by": [run]},
    ),
    "end_runs": (
        "processing",
        lambda run: {
            "runs": [run],
            "statuses": ["success"],
            "messages": [""],
            "error_kinds": [None],
            "reasons": [None],
        },
    ),
    "break_cycle": ("waiting", lambda run: {"run": run, "message": "these runs wait for each other"}),
}
"""Statements for runs, the status in which they may write, and their arguments."""


@pytest.mark.parametrize("name", LATE)
async def test_finished_is_final(scene: Scene, name: str) -> None:
    world = scene.world
    await world.save(ORCHESTRATOR, "run", definition([task("x")]))
    request = requested("run")
    await scene.second.accept([request])
    await scene.second.terminate(stop(request.job_id))
    status, arguments = LATE[name]

    assert not await writes(world, execute(world, name, **arguments(request.job_id)))

    async with world.admin.acquire() as connection, connection.transaction():
        # No statement of ours can bring it back: the trigger of the transitions is off for this one.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE jobs.jobs SET status = $2, finished_at = NULL WHERE id = $1", request.job_id, status
        )
    assert await writes(world, execute(world, name, **arguments(request.job_id)))


async def test_a_stop_changes_nothing_that_has_finished(scene: Scene) -> None:
    """`stop`"""
    world, job = scene.world, scene.second.open[scene.job][0]
    await finish(world, scene.second, job)
    queries = Queries.load(PACKAGE, "termination.sql")
    values = queries.arguments("stop", {"ids": [job.id], "requested_by": None})

    assert not await writes(world, scene.second.terminate(stop(job.id)))
    assert not await writes(world, world.pool.execute(queries["stop"], *values))

    other = requested("b", "c")
    await scene.second.accept([other])
    assert await writes(world, scene.second.terminate(stop(other.job_id)))


def test_every_statement_that_writes_is_here() -> None:
    tested = {*GUARDED_ELSEWHERE, *FENCED, *CLAIMS, *LATE, "promote", "stop"}
    tested = {name.partition(",")[0] for name in tested}
    found = {
        name
        for package, file in FILES
        for name, sql in named(Queries.load(package, file))
        if WRITE.search(re.sub(r"--[^\n]*", "", sql))
    }
    assert found == tested, "a statement that writes needs a test that shows when it writes nothing"


@pytest.mark.parametrize("name", GUARDED_ELSEWHERE)
def test_the_other_tests_are_there(name: str) -> None:
    file, _, test = GUARDED_ELSEWHERE[name].partition("::")
    tree = ast.parse((Path(__file__).parent / file).read_text())
    assert test in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
