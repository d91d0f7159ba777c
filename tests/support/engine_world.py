"""The engine's parts on a real PostgreSQL, moved by hand: a test decides its replicas' turns and attempts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
from tests.support.databases import Database
from tests.support.engine_replica import SUCCESS, CountedLease, Exchange, Replica, said

from orchestrator_runner.executors.port import Executor
from orchestrator_runner.logs.store import LogStore
from orchestrator_runner.queue.handle_store import HandleStore
from orchestrator_runner.settings import RunnerSettings
from orchestrator_runner.wiring import join_core, make_attempts
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_job_id
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.messaging.relay import Tuning
from orchestrator_shared.security import Encryption

__all__ = ["PROJECT", "SUCCESS", "Replica", "World", "definition", "requested", "task"]

PROJECT = "p"
ROUNDS = 400
LEASE_SECONDS = 3600.0
"""Longer than any test: leases run out when a test says so."""


class World:
    """The database and replicas on it; messages are delivered by hand."""

    def __init__(self, database: Database, pool: asyncpg.Pool, admin: asyncpg.Pool) -> None:
        self.database = database
        self.pool = pool
        self.admin = admin
        self.exchange = Exchange()
        self.settings = _settings(database)
        self.replicas: list[Replica] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, *, connections: int = 4) -> AsyncIterator["World"]:
        """The project and two components: `c` is safe to run again after a crash, `d` is not."""
        async with pools(database, connections) as (pool, admin):
            world = cls(database, pool, admin)
            await world.begin()
            yield world

    async def begin(self) -> None:
        """Make the project and its components."""
        await self.admin.execute("INSERT INTO catalog.projects (id, name) VALUES ($1, $1)", PROJECT)
        await self.admin.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('c', 'c', 'application', 'process', 'rerun', '{}'),
                      ('d', 'd', 'application', 'process', 'fail', '{}')"""
        )

    async def save(self, component: str, name: str, parameters: Any) -> int:
        """The next version of a configuration."""
        async with self.admin.acquire() as connection, connection.transaction():
            version: int = await connection.fetchval(
                """INSERT INTO catalog.configurations AS c (project, component, id, name, version)
                   VALUES ($1, $2, $3, $3, 1)
                   ON CONFLICT (project, component, id) DO UPDATE SET version = c.version + 1
                   RETURNING version""",
                PROJECT,
                component,
                name,
            )
            await connection.execute(
                """INSERT INTO catalog.configuration_versions
                       (project, component, configuration, version, parameters, author)
                   VALUES ($1, $2, $3, $4, $5, 'test')""",
                PROJECT,
                component,
                name,
                version,
                parameters,
            )
            return version

    async def limit(self, parallel: int | None) -> None:
        """Set, change or remove the project's parallel limit."""
        await self.admin.execute(
            "UPDATE catalog.projects SET parallel_limit = $2 WHERE id = $1", PROJECT, parallel
        )

    async def add_replica(
        self, *, slots: int = 3, executors: Mapping[str, Executor] | None = None
    ) -> Replica:
        """Wired as in production; with `executors` it really executes what it claims."""
        settings = self.settings.model_copy(update={"runner_slots": slots})
        # Nothing is relayed unless a test asks for it: what was said stays in the outbox table.
        tuning = Tuning(grace=0.0, batch=1000)
        core = join_core(settings, self.pool, self.exchange, executors or {}, tuning)
        replica = Replica(
            core.replica_id,
            core.engine,
            core.recovery,
            core.accept,
            core.terminate,
            core.commands,
            core.leases,
            LogStore(self.pool),
            core.outbox,
            slots,
        )
        if executors is None:
            core.engine.use(replica.prepare)
        else:
            handles = HandleStore(self.pool, Encryption(settings.encryption_keys))
            core.engine.use(make_attempts(settings, self.pool, executors, handles).prepare)
        await replica.leases.register(CountedLease())
        self.replicas.append(replica)
        return replica

    async def expire(self, replica: Replica) -> None:
        """Let the time of its lease pass."""
        await self.pool.execute(
            """UPDATE jobs.replicas SET lease_until = clock_timestamp() - interval '1 second'
               WHERE id = $1 AND lost_at IS NULL""",
            replica.id,
        )

    async def let_delays_pass(self) -> None:
        """Let the time of every delay between attempts pass, and of every claim of an outbox row."""
        await self.pool.execute(
            "UPDATE jobs.jobs SET due_at = clock_timestamp(), revision = revision + 1 WHERE delayed"
        )
        await self.pool.execute("UPDATE jobs.outbox SET claimed_until = NULL WHERE claimed_until IS NOT NULL")

    @property
    def living(self) -> list[Replica]:
        return [replica for replica in self.replicas if not replica.lost]

    async def finish(self) -> None:
        """Let every open attempt succeed until nothing is left to do: everything comes to an end."""
        for _ in range(ROUNDS):
            await self.let_delays_pass()
            for number, replica in enumerate(self.living):
                if number and not replica.open:
                    continue  # one is enough for what is new
                for job_id in sorted(replica.open):
                    job, _ = replica.open[job_id]
                    await replica.end_attempt(job_id, said(job))
                await replica.recovery.reap()
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


def _settings(database: Database) -> RunnerSettings:
    """Everything is looked at in every turn, and no lease runs out by itself."""
    settings = RunnerSettings(
        database_url=database.url_for("runner"),
        amqp_url="amqp://nobody.test",
        encryption_keys=(b"k" * 32,),
        runner_name="test",
        lease_seconds=600,
        heartbeat_seconds=1,
    )
    return settings.model_copy(update={"lease_seconds": LEASE_SECONDS, "poll_seconds": 0, "scan_seconds": 0})


@asynccontextmanager
async def pools(database: Database, connections: int = 4) -> AsyncIterator[tuple[asyncpg.Pool, asyncpg.Pool]]:
    """As the runner, and as the superuser who saves and looks."""
    async with (
        asyncpg.create_pool(
            database.url_for("runner"), min_size=1, max_size=connections, init=prepare_connection
        ) as pool,
        asyncpg.create_pool(database.url, min_size=1, max_size=2, init=prepare_connection) as admin,
    ):
        yield pool, admin


def task(name: str, *, component: str = "c", **fields: Any) -> dict[str, Any]:
    """A task that runs the configuration of its name."""
    return {"id": name, "component": component, "configuration": name, **fields}


def definition(*phases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An orchestration of these phases of tasks."""
    return {
        "phases": [{"name": f"Phase {index}", "tasks": list(tasks)} for index, tasks in enumerate(phases)]
    }


def requested(name: str, component: str = ORCHESTRATOR, **fields: Any) -> RunRequested:
    """A request for a run, or with a `component` for a job, as the scheduler makes it."""
    now = datetime.now(UTC)
    return RunRequested(
        **{
            "job_id": new_job_id(),
            "project": PROJECT,
            "component": component,
            "configuration": name,
            "origin": Origin.SCHEDULE,
            "requested_at": now,
            "scheduled_for": now,
            **fields,
        }
    )
