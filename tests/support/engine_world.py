"""The engine's parts on a real PostgreSQL, moved by hand: a test decides its replicas' turns and attempts."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from tests.support.databases import Database

from orchestrator_runner.adapters.lanes import Lanes
from orchestrator_runner.adapters.ownership import Ownership
from orchestrator_runner.adapters.runs import Runs
from orchestrator_runner.domain.jobs import ClaimedJob, Result
from orchestrator_runner.domain.lifecycle import Ending, after_failure
from orchestrator_runner.engine.leases import Recovery
from orchestrator_runner.engine.loop import Engine, Execute
from orchestrator_runner.engine.starts import Starter
from orchestrator_runner.engine.step import Stepper
from orchestrator_runner.handlers.accept import Accept
from orchestrator_runner.handlers.terminate import Terminate
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.publisher import Publisher

PROJECT = "p"
SUCCESS = Ending(JobStatus.SUCCESS)
ROUNDS = 400


@dataclass(eq=False)
class Replica:
    """One replica's engine, with attempts that end when the test says so."""

    id: UUID
    engine: Engine
    recovery: Recovery
    accept: Accept
    terminate: Terminate
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

    async def end_attempt(self, job_id: UUID, ending: Ending = SUCCESS) -> None:
        """End the attempt, unless it was stopped meanwhile; its result waits for the next step."""
        if job_id in self.open and not self.open[job_id][1].done():
            self.open[job_id][1].set_result(ending)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def fail_attempt(self, job_id: UUID) -> None:
        """End it as a failure: with another attempt where the task has some left."""
        job, _ = self.open[job_id]
        await self.end_attempt(job_id, after_failure(job.attempts, "broke", ErrorKind.USER))


class World:
    """The database and replicas on it; messages are delivered by hand."""

    def __init__(self, database: Database, pool: asyncpg.Pool) -> None:
        self.database = database
        self.pool = pool
        # Nothing is published here: what was said stays in the outbox table.
        self.outbox = Outbox(schema="jobs", source="/runner", pool=pool, publisher=Publisher(None))  # type: ignore[arg-type]
        self.replicas: list[Replica] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, *, connections: int = 4) -> AsyncIterator["World"]:
        """The project and two components: `c` is safe to run again after a crash, `d` is not."""
        pool = await asyncpg.create_pool(
            database.url_for("runner"), min_size=1, max_size=connections, init=prepare_connection
        )
        try:
            await database.execute("INSERT INTO catalog.projects (id, name) VALUES ($1, $1)", PROJECT)
            await database.execute(
                """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                   VALUES ('c', 'c', 'application', 'process', 'rerun', '{}'),
                          ('d', 'd', 'application', 'process', 'fail', '{}')"""
            )
            yield cls(database, pool)
        finally:
            await pool.close()

    async def save(self, component: str, name: str, parameters: Any) -> None:
        """The first version of a configuration."""
        async with self.database.connection() as connection, connection.transaction():
            await prepare_connection(connection)
            await connection.execute(
                """INSERT INTO catalog.configurations (project, component, id, name, version)
                   VALUES ($1, $2, $3, $3, 1)""",
                PROJECT,
                component,
                name,
            )
            await connection.execute(
                """INSERT INTO catalog.configuration_versions
                       (project, component, configuration, version, parameters, author)
                   VALUES ($1, $2, $3, 1, $4, 'test')""",
                PROJECT,
                component,
                name,
                parameters,
            )

    async def add_replica(self, *, slots: int = 3) -> Replica:
        replica_id = new_id()
        lanes, runs, ownership = Lanes(), Runs(), Ownership(replica_id)
        engine = Engine(
            pool=self.pool,
            stepper=Stepper(self.pool, self.outbox, lanes, runs, ownership),
            starter=Starter(self.pool, self.outbox, lanes, runs),
            lanes=lanes,
            runs=runs,
            ownership=ownership,
            slots=slots,
            poll_seconds=0,
            scan_seconds=0,
        )
        replica = Replica(
            replica_id,
            engine,
            Recovery(self.pool, engine, replica_id=replica_id, every_seconds=1, may_judge=lambda: True),
            Accept(self.pool, self.outbox, lanes, engine.wake),
            Terminate(self.pool, self.outbox, lanes, engine),
        )
        engine.use(replica.prepare)
        await self.pool.execute(
            "INSERT INTO jobs.replicas (id, name, slots, lease_until) VALUES ($1, 'test', $2, 'infinity')",
            replica_id,
            slots,
        )
        self.replicas.append(replica)
        return replica

    @property
    def living(self) -> list[Replica]:
        return [replica for replica in self.replicas if not replica.lost]

    async def finish(self) -> None:
        """Let every open attempt succeed until nothing is left to do: everything comes to an end."""
        for _ in range(ROUNDS):
            for replica in self.living:
                for job_id in sorted(replica.open):
                    await replica.end_attempt(job_id)
                    await replica.engine.turn()
                await replica.recovery.look()
                await replica.engine.turn()
            if not await self.pool.fetchval("SELECT count(*) FROM jobs.jobs WHERE finished_at IS NULL"):
                break
        left = await self.pool.fetch("SELECT id, kind, status FROM jobs.jobs WHERE finished_at IS NULL")
        assert not left, f"every run ends: {[dict(row) for row in left]}"

    async def let_go(self) -> None:
        """Leave no attempt behind."""
        for replica in self.replicas:
            for _, future in replica.open.values():
                future.cancel()
            await replica.engine.drain(0, 1)


def task(name: str, *, component: str = "c", **fields: Any) -> dict[str, Any]:
    """A task that runs the configuration of its name."""
    return {"id": name, "component": component, "configuration": name, **fields}


def definition(*phases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An orchestration of these phases of tasks."""
    return {
        "phases": [{"name": f"Phase {index}", "tasks": list(tasks)} for index, tasks in enumerate(phases)]
    }
