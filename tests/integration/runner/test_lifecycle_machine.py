"""Random histories of runs on a real PostgreSQL: whatever happens, in whatever order, the rules hold."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support import databases
from tests.support.databases import Database

from orchestrator_runner.adapters.lanes import Lanes
from orchestrator_runner.adapters.ownership import Ownership
from orchestrator_runner.adapters.runs import Runs
from orchestrator_runner.domain.jobs import ClaimedJob, Result
from orchestrator_runner.domain.lifecycle import Ending, TaskState, after_failure, next_step
from orchestrator_runner.engine.leases import Recovery
from orchestrator_runner.engine.loop import Engine, Execute
from orchestrator_runner.engine.starts import Starter
from orchestrator_runner.engine.step import Stepper
from orchestrator_runner.handlers.accept import Accept
from orchestrator_runner.handlers.terminate import Terminate
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import new_id, new_job_id
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus, Origin, OverlapPolicy, TaskStatus
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.publisher import Publisher

CONFIGURATIONS = ("a", "b", "c")
ORCHESTRATIONS = ("one", "two", "outer")
EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "25"))
STEPS = int(os.environ.get("LIFECYCLE_STEPS", "50"))

tasks_drawn = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(CONFIGURATIONS),
            st.booleans(),
            st.integers(1, 2),
            st.sampled_from([True, True, False]),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


@dataclass(eq=False)
class Replica:
    """One replica's engine, with attempts that end when the test says so."""

    id: UUID
    engine: Engine
    recovery: Recovery
    open: dict[UUID, tuple[ClaimedJob, "asyncio.Future[Ending]"]] = field(default_factory=dict)
    lost: bool = False

    async def prepare(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Execute]:
        return {job.id: partial(self._execute, job) for job in jobs}

    async def _execute(self, job: ClaimedJob, stop: asyncio.Event) -> Result:
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.open[job.id] = (job, future)
        stopped = asyncio.create_task(stop.wait())
        waits: list[asyncio.Future[Any]] = [future, stopped]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        ending = future.result() if future.done() else Ending(JobStatus.TERMINATED)
        self.open.pop(job.id, None)
        return Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending)


class World:
    """The database and two replicas on it; messages are delivered by hand."""

    def __init__(self, database: Database, pool: asyncpg.Pool) -> None:
        self.database = database
        self.pool = pool
        # Nothing is published here: what was said stays in the outbox table.
        self.outbox = Outbox(schema="jobs", source="/runner", pool=pool, publisher=Publisher(None))  # type: ignore[arg-type]
        self.replicas: list[Replica] = []
        self.accept: Accept
        self.terminate: Terminate

    async def add_replica(self) -> Replica:
        replica_id = new_id()
        lanes, runs, ownership = Lanes(), Runs(), Ownership(replica_id)
        engine = Engine(
            pool=self.pool,
            stepper=Stepper(self.pool, self.outbox, lanes, runs, ownership),
            starter=Starter(self.pool, self.outbox, lanes, runs),
            lanes=lanes,
            runs=runs,
            ownership=ownership,
            slots=3,
            poll_seconds=0,
            scan_seconds=0,
        )
        recovery = Recovery(self.pool, engine, replica_id=replica_id, every_seconds=1, may_judge=lambda: True)
        replica = Replica(replica_id, engine, recovery)
        engine.use(replica.prepare)
        await self.pool.execute(
            "INSERT INTO jobs.replicas (id, name, slots, lease_until) VALUES ($1, 'test', 3, 'infinity')",
            replica_id,
        )
        self.accept = Accept(self.pool, self.outbox, lanes, engine.wake)
        self.terminate = Terminate(self.pool, self.outbox, lanes, engine)
        self.replicas.append(replica)
        return replica

    @property
    def living(self) -> list[Replica]:
        return [replica for replica in self.replicas if not replica.lost]


class Lifecycle(RuleBasedStateMachine):
    """Requests, redeliveries, endings, losses, zombies, terminations: in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.requests: list[RunRequested] = []
        self.finals: dict[UUID, tuple[str, datetime]] = {}

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize(one=tasks_drawn, two=tasks_drawn)
    def begin(self, one: Any, two: Any) -> None:
        self.do(self._begin(one, two))

    async def _begin(self, one: Any, two: Any) -> None:
        database = await self.stack.enter_async_context(databases.migrated_database())
        pool = await asyncpg.create_pool(
            database.url_for("runner"), min_size=1, max_size=4, init=prepare_connection
        )
        self.stack.push_async_callback(pool.close)
        self.world = World(database, pool)
        async with database.connection() as connection:
            await prepare_connection(connection)
            await connection.execute("INSERT INTO catalog.projects (id, name) VALUES ('p', 'p')")
            await connection.execute(
                """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                   VALUES ('c', 'c', 'application', 'process', 'rerun', '{}'),
                          ('d', 'd', 'application', 'process', 'fail', '{}')"""
            )
            for name in CONFIGURATIONS:
                await self._save(connection, "d" if name == "b" else "c", name, {})
            await self._save(connection, "orchestrator", "one", _definition(one))
            await self._save(connection, "orchestrator", "two", _definition(two))
            nested = [{**_task("one", False, 1, True), "component": "orchestrator"}]
            outer = {"phases": [{"name": "n", "tasks": nested}, *_definition(two)["phases"]]}
            await self._save(connection, "orchestrator", "outer", outer)
        for _ in range(2):
            await self.world.add_replica()

    @staticmethod
    async def _save(connection: asyncpg.Connection, component: str, name: str, parameters: Any) -> None:
        async with connection.transaction():
            await connection.execute(
                """INSERT INTO catalog.configurations (project, component, id, name, version)
                   VALUES ('p', $1, $2, $2, 1)""",
                component,
                name,
            )
            await connection.execute(
                """INSERT INTO catalog.configuration_versions
                       (project, component, configuration, version, parameters, author)
                   VALUES ('p', $1, $2, 1, $3, 'test')""",
                component,
                name,
                parameters,
            )

    @rule(name=st.sampled_from(ORCHESTRATIONS), overlap=st.sampled_from(list(OverlapPolicy)))
    def request(self, name: str, overlap: OverlapPolicy) -> None:
        now = datetime.now(UTC)
        self.requests.append(
            RunRequested(
                job_id=new_job_id(),
                project="p",
                configuration=name,
                origin=Origin.SCHEDULE,
                requested_at=now,
                scheduled_for=now,
                overlap=overlap,
                schedule_id=UUID(int=ORCHESTRATIONS.index(name) + 1),
                fire_key=str(len(self.requests)),
            )
        )
        self.do(self.world.accept([self.requests[-1]]))

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        again = data.draw(st.lists(st.sampled_from(self.requests), min_size=1, max_size=3))
        self.do(self.world.accept(again))

    @rule(which=st.integers(0, 5))
    def turn(self, which: int) -> None:
        replicas = self.world.replicas  # lost ones too: zombies go on until they learn
        self.do(replicas[which % len(replicas)].engine.turn())

    @rule(which=st.integers(0, 20), how=st.sampled_from(["success", "success", "error"]))
    def end_attempt(self, which: int, how: str) -> None:
        attempts = [(r, job) for r in self.world.replicas for job in sorted(r.open)]
        if attempts:
            replica, job_id = attempts[which % len(attempts)]
            self.do(self._end(replica, job_id, how))

    async def _end(self, replica: Replica, job_id: UUID, how: str) -> None:
        job, future = replica.open[job_id]
        if how == "success":
            future.set_result(Ending(JobStatus.SUCCESS))
        else:
            future.set_result(after_failure(job.attempts, "broke", ErrorKind.USER))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await replica.engine.turn()

    @precondition(lambda self: len(self.world.living) > 1)
    @rule(which=st.integers(0, 1), at_once=st.booleans())
    def lose_replica(self, which: int, at_once: bool) -> None:
        self.do(self._lose(self.world.living[which], at_once=at_once))

    async def _lose(self, replica: Replica, *, at_once: bool) -> None:
        replica.lost = True
        await self.world.pool.execute(
            "UPDATE jobs.replicas SET lease_until = '-infinity' WHERE id = $1", replica.id
        )
        await self.world.living[0].recovery.look()
        if len(self.world.replicas) < 5:
            await self.world.add_replica()
        if at_once:  # others own its jobs now, while it still executes them: its word must not count
            await self.world.living[0].engine.turn()
            for job_id in sorted(replica.open):
                await self._end(replica, job_id, "success")

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def terminate(self, data: st.DataObject) -> None:
        self.do(self._terminate(data.draw(st.integers(0, 7))))

    async def _terminate(self, which: int) -> None:
        rows = await self.world.pool.fetch(
            "SELECT id FROM jobs.jobs ORDER BY finished_at IS NOT NULL, accepted_at, id LIMIT 8"
        )
        job = rows[which % len(rows)]["id"] if rows else self.requests[0].job_id
        await self.world.terminate(TerminateRequested(job_id=job, project="p"))

    @invariant()
    def rules_hold(self) -> None:
        if hasattr(self, "world"):
            self.do(self._check())

    async def _check(self) -> None:
        jobs = await self.world.pool.fetch("SELECT * FROM jobs.jobs ORDER BY lane_id, seq")
        for job in jobs:
            if job["finished_at"] is not None:
                final = (job["status"], job["finished_at"])
                assert self.finals.setdefault(job["id"], final) == final, "finished is final"
        started = [job for job in jobs if job["started_at"] is not None]
        for earlier, later in pairwise(started):
            if earlier["lane_id"] == later["lane_id"]:
                assert earlier["started_at"] <= later["started_at"], "first come, first served"
        overlaps = await self.world.pool.fetch(
            """SELECT t.run_id
               FROM jobs.tasks t JOIN jobs.tasks u ON u.run_id = t.run_id AND u.phase > t.phase
               WHERE t.status IN ('pending', 'started')
                   AND u.status NOT IN ('pending', 'skipped', 'not_executed')"""
        )
        assert not overlaps, "phases never overlap"
        orphans = await self.world.pool.fetch(
            """SELECT c.id FROM jobs.jobs r JOIN jobs.jobs c ON c.parent_id = r.id
               WHERE r.finished_at IS NOT NULL AND c.finished_at IS NULL"""
        )
        assert not orphans, "a run ends after its children"
        self._check_owners({job["id"]: job for job in jobs})
        await self._check_counts()

    def _check_owners(self, jobs: Mapping[UUID, asyncpg.Record]) -> None:
        """Only the owner's word ends an attempt."""
        for replica in self.world.replicas:
            for job, future in replica.open.values():
                row = jobs[job.id]
                if not future.done() and row["epoch"] == job.epoch and not replica.lost:
                    assert row["status"] in ("processing", "terminating"), "ended by somebody else"

    async def _check_counts(self) -> None:
        wrong = await self.world.pool.fetch(
            """SELECT p.run_id FROM jobs.phases p JOIN jobs.jobs r ON r.id = p.run_id
               WHERE p.remaining <> (SELECT count(*) FROM jobs.tasks t
                   WHERE (t.run_id, t.phase) = (p.run_id, p.index)
                   AND t.status IN ('pending', 'started', 'not_executed'))"""
        )
        assert not wrong, "remaining counts the tasks that have not finished"
        merged = await self.world.pool.fetchval("SELECT count(*) FROM jobs.request_records")
        roots = await self.world.pool.fetchval("SELECT count(*) FROM jobs.jobs WHERE parent_id IS NULL")
        assert merged + roots == len(self.requests), "every request becomes one row, however often delivered"

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.do(self._finish())
        finally:
            self.do(self.stack.aclose())
            self.runner.close()

    async def _finish(self) -> None:
        """Everything that was asked for comes to an end."""
        for _ in range(400):
            for replica in self.world.living:
                for job_id in sorted(replica.open):
                    await self._end(replica, job_id, "success")
                await replica.recovery.look()
                await replica.engine.turn()
            if not await self.world.pool.fetchval("SELECT count(*) FROM jobs.jobs WHERE finished_at IS NULL"):
                break
        left = await self.world.pool.fetch("SELECT id, kind, status FROM jobs.jobs WHERE finished_at IS NULL")
        assert not left, f"every run ends: {[dict(row) for row in left]}"
        await self._check()
        await self._check_roll_up()
        for replica in self.world.replicas:
            for _, future in replica.open.values():
                future.cancel()
            await replica.engine.drain(0, 1)

    async def _check_roll_up(self) -> None:
        for run in await self.world.pool.fetch(
            """SELECT id, status, stop_requested_at FROM jobs.jobs
               WHERE kind = 'run' AND started_at IS NOT NULL"""
        ):
            rows = await self.world.pool.fetch("SELECT * FROM jobs.tasks WHERE run_id = $1", run["id"])
            states = [
                TaskState(
                    row["task_id"],
                    row["phase"],
                    row["active"],
                    TaskStatus(row["status"]),
                    row["continue_on_failure"],
                )
                for row in rows
            ]
            step = next_step(states, stopping=run["stop_requested_at"] is not None)
            assert getattr(step, "status", None) == run["status"], "a run ends as its tasks did"


def _task(name: str, go_on: bool, attempts: int, enabled: bool) -> dict[str, Any]:
    return {
        "id": name,
        "component": "d" if name == "b" else "c",
        "configuration": name,
        "continue_on_failure": go_on,
        "attempts": attempts,
        "enabled": enabled,
    }


def _definition(phases: Sequence[Sequence[tuple[str, bool, int, bool]]]) -> dict[str, Any]:
    """Phases of tasks with ids of their own, so that a configuration may occur several times."""
    return {
        "phases": [
            {
                "name": f"Phase {index}",
                "tasks": [
                    {**_task(*drawn), "id": f"{drawn[0]}-{index}-{position}"}
                    for position, drawn in enumerate(phase)
                ],
            }
            for index, phase in enumerate(phases)
        ]
    }


def test_random_histories_keep_the_rules() -> None:
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="LIFECYCLE_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
