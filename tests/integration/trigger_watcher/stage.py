"""The trigger-watcher's surroundings, simulated by SQL as superuser: the catalog, and a runner."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

import asyncpg
from tests.support.databases import Database

from orchestrator_shared.database.pool import acquire, encode_json, open_pool
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import TriggerId, new_id, new_job_id
from orchestrator_shared.domain.tables import TableRef
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.publisher import Publisher
from orchestrator_shared.settings import DatabaseSettings
from orchestrator_trigger_watcher.adapters.update_store import Update
from orchestrator_trigger_watcher.wiring import Watcher, build

HOUR = timedelta(hours=1)
FINISH = "UPDATE jobs.jobs SET status = 'success', finished_at = clock_timestamp() WHERE id = $1"
RUNNER = Queries.load("orchestrator_runner.queue", "run_store.sql", "waiting_triggers.sql")


def table(text: str, project: str = "demo") -> TableRef:
    return TableRef.parse(text, own_project=project)


def update(ref: TableRef, event_id: str, source: str = "/loaders") -> Update:
    return Update(table=ref, source=source, event_id=event_id)


@dataclass(frozen=True, slots=True)
class Start:
    """A run that the simulated runner started."""

    job_id: UUID
    at: datetime
    full: bool
    vector: dict[str, int]
    withdrawn: bool = False
    """Another run had used all updates of it."""


@asynccontextmanager
async def watcher_on(database: Database, name: str = "watcher") -> AsyncIterator[Watcher]:
    """One replica's handlers with a pool of its own; what it says stays in the outbox."""
    settings = DatabaseSettings(
        database_url=database.url_for("trigger_watcher"),
        database_pool_max=4,
        database_acquire_timeout_seconds=60,  # a storm has a hundred wait for four
    )
    pool = await open_pool(settings, application_name=name)
    try:
        nobody = cast(Publisher, None)
        outbox = Outbox(schema="triggers", source="/trigger-watcher", pool=pool, publisher=nobody)
        yield build(outbox, partial(acquire, pool))
    finally:
        await pool.close()


class Stage:
    """Writes what the api and the runner would write."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._lane = asyncio.Lock()
        """One run starts at a time: the lanes of the real runner."""

    @classmethod
    @asynccontextmanager
    async def on(cls, database: Database) -> AsyncIterator["Stage"]:
        async with asyncpg.create_pool(database.url, min_size=1, max_size=4, init=_json) as pool:
            yield cls(pool)

    async def now(self) -> datetime:
        at: datetime = await self.pool.fetchval("SELECT clock_timestamp()")
        return at

    async def project(self, name: str) -> None:
        await self.pool.execute("INSERT INTO catalog.projects (id, name) VALUES ($1, $1)", name)

    async def orchestration(self, name: str, project: str = "demo") -> None:
        await self.pool.execute(
            "INSERT INTO catalog.configurations (project, component, id, name, version)"
            " VALUES ($1, 'orchestrator', $2, $2, 1)",
            project,
            name,
        )

    async def trigger(
        self,
        tables: Iterable[TableRef],
        *,
        orchestration: str = "campaigns",
        project: str = "demo",
        cool_down: timedelta = timedelta(0),
        mode: str = "ignore",
        enabled: bool = True,
    ) -> TriggerId:
        trigger_id = TriggerId(new_id())
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO catalog.triggers"
                " (id, project, orchestration, name, cool_down_seconds, mode, enabled)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                trigger_id,
                project,
                orchestration,
                f"t-{trigger_id}",
                int(cool_down.total_seconds()),
                mode,
                enabled,
            )
            await _select(connection, trigger_id, tables)
        return trigger_id

    async def edit(
        self, trigger_id: TriggerId, tables: Iterable[TableRef] | None = None, **columns: Any
    ) -> None:
        """Save the trigger anew, as the api does: one version more."""
        async with self.pool.acquire() as connection, connection.transaction():
            for column, value in columns.items():
                await connection.execute(
                    f"UPDATE catalog.triggers SET {column} = $2 WHERE id = $1", trigger_id, value
                )
            await connection.execute(
                "UPDATE catalog.triggers SET version = version + 1 WHERE id = $1", trigger_id
            )
            if tables is not None:
                await connection.execute(
                    "DELETE FROM catalog.trigger_tables WHERE trigger_id = $1", trigger_id
                )
                await _select(connection, trigger_id, tables)

    async def switch(self, project: str, orchestration: str, enabled: bool) -> None:
        """Switch an orchestration, which its triggers hear of."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE catalog.configurations SET enabled = $3 WHERE (project, id) = ($1, $2)",
                project,
                orchestration,
                enabled,
            )
            await connection.execute(
                "UPDATE catalog.triggers SET version = version + 1 WHERE (project, orchestration) = ($1, $2)",
                project,
                orchestration,
            )

    async def reset(self, trigger_id: TriggerId) -> None:
        await self.pool.execute(
            "UPDATE catalog.triggers SET reset_count = reset_count + 1 WHERE id = $1", trigger_id
        )

    async def delete(self, trigger_id: TriggerId) -> None:
        await self.pool.execute(
            "UPDATE catalog.triggers SET deleted_at = clock_timestamp(), version = version + 1 WHERE id = $1",
            trigger_id,
        )

    async def start_run(
        self,
        orchestration: str = "campaigns",
        *,
        project: str = "demo",
        job_id: UUID | None = None,
        trigger_id: TriggerId | None = None,
        generation: int | None = None,
        full: bool = True,
        finish: bool = True,
    ) -> Start:
        """Start a run as the runner does, with its own statements, or withdraw it."""
        job_id = job_id or new_job_id()
        async with self._lane, self.pool.acquire() as connection, connection.transaction():
            await self._insert_job(connection, project, orchestration, job_id, trigger_id, generation)
            vector: dict[str, int] = {}
            if full:
                for row in await connection.fetch(RUNNER["begin_runs"], [project], [orchestration]):
                    vector[f"{row['table_project']}/{row['table_name']}"] = row["last_seq"]
            await connection.execute("UPDATE jobs.jobs SET status = 'ready' WHERE id = $1", job_id)
            for row in await connection.fetch(RUNNER["used_by_others"], [job_id]):
                gone = await connection.fetchrow(
                    RUNNER["withdraw_runs"], [job_id], [row["name"]], [row["used_by"]]
                )
                assert gone is not None
                return Start(job_id, gone["finished_at"], full, vector, withdrawn=True)
            at = await connection.fetchval(
                "UPDATE jobs.jobs SET started_at = clock_timestamp(), full_run = $2, used_updates = $3,"
                " status = 'processing' WHERE id = $1 RETURNING started_at",
                job_id,
                full,
                vector if full else None,
            )
            if finish:
                await connection.execute(FINISH, job_id)
        return Start(job_id, at, full, vector)

    async def finish_run(self, job_id: UUID) -> None:
        await self.pool.execute(FINISH, job_id)

    async def cancel_unstarted(self, job_id: UUID, trigger_id: TriggerId, generation: int) -> datetime:
        """A requested run ends before it starts; returns when, in the order of the log."""
        async with self._lane, self.pool.acquire() as connection, connection.transaction():
            of = await connection.fetchrow(
                "SELECT project, orchestration FROM triggers.states WHERE trigger_id = $1", trigger_id
            )
            assert of is not None
            await self._insert_job(
                connection, of["project"], of["orchestration"], job_id, trigger_id, generation
            )
            await connection.execute(RUNNER["lock_waiting"], [job_id])
            at: datetime = await connection.fetchval(
                "UPDATE jobs.jobs SET status = 'cancelled', finished_at = clock_timestamp() WHERE id = $1"
                " RETURNING finished_at",
                job_id,
            )
        return at

    async def let_pass(self, project: str, span: timedelta) -> None:
        """Date back all that was recorded of the project, and of `project-other`, as if time had passed."""
        async with self.pool.acquire() as connection, connection.transaction():
            for statement in DATED_BACK:
                await connection.execute(statement, project, span)

    async def _insert_job(
        self,
        connection: Any,
        project: str,
        orchestration: str,
        job_id: UUID,
        trigger_id: TriggerId | None,
        generation: int | None,
    ) -> None:
        lane, seq = await connection.fetchrow(
            "INSERT INTO jobs.lanes (project, component, configuration) VALUES ($1, 'orchestrator', $2)"
            " ON CONFLICT (project, component, configuration) DO UPDATE SET next_seq = lanes.next_seq + 1"
            " RETURNING id, next_seq",
            project,
            orchestration,
        )
        await connection.execute(
            "INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status,"
            " origin, root_id, trigger_id, generation, scheduled_for, requested_at)"
            " VALUES ($1, $2, $3, $4, 'orchestrator', $5, 'run', 'waiting', $6, $1, $7, $8,"
            " clock_timestamp(), clock_timestamp())",
            job_id,
            lane,
            seq,
            project,
            orchestration,
            "manual" if trigger_id is None else "trigger",
            trigger_id,
            generation,
        )

    async def waiting(self, trigger_id: TriggerId) -> tuple[UUID, int] | None:
        """The run of the trigger that was requested, not withdrawn, and has neither started nor ended."""
        row = await self.pool.fetchrow(
            "SELECT f.job_id, f.generation FROM triggers.fires f LEFT JOIN jobs.jobs j ON j.id = f.job_id"
            " WHERE f.trigger_id = $1 AND f.ended IS NULL AND j.id IS NULL",
            trigger_id,
        )
        return None if row is None else (row["job_id"], row["generation"])

    async def dispositions(self, trigger_id: TriggerId) -> list[tuple[str, int, str]]:
        """Table, number and disposition, in the order in which they were decided."""
        rows = await self.pool.fetch(
            "SELECT project || '/' || table_name AS name, seq, disposition FROM triggers.dispositions"
            " WHERE trigger_id = $1 ORDER BY at, seq",
            trigger_id,
        )
        return [(row["name"], row["seq"], row["disposition"]) for row in rows]

    async def said(self, kind: str) -> list[dict[str, Any]]:
        """The data of the messages of this type that were committed to the outbox."""
        rows = await self.pool.fetch(
            "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM triggers.outbox ORDER BY created_at"
        )
        return [row["body"]["data"] for row in rows if row["body"]["type"] == kind]


OF_PROJECT = "trigger_id IN (SELECT id FROM catalog.triggers WHERE project = $1)"
DATED_BACK = (
    "UPDATE triggers.updates SET heard_at = heard_at - $2::interval WHERE project IN ($1, $1 || '-other')",
    "UPDATE triggers.tables SET last_heard_at = last_heard_at - $2::interval"
    " WHERE project IN ($1, $1 || '-other')",
    f"UPDATE triggers.counts SET counted_at = counted_at - $2::interval WHERE {OF_PROJECT}",
    f"UPDATE triggers.dispositions SET at = at - $2::interval WHERE {OF_PROJECT}",
    "UPDATE triggers.fires SET at = at - $2::interval, started_at = started_at - $2::interval"
    f" WHERE {OF_PROJECT}",
    f"UPDATE triggers.saved_versions SET at = at - $2::interval WHERE {OF_PROJECT}",
    "UPDATE triggers.states SET last_started_at = last_started_at - $2::interval,"
    " due_at = due_at - $2::interval WHERE project = $1",
    "UPDATE jobs.jobs SET started_at = started_at - $2::interval,"
    " finished_at = finished_at - $2::interval WHERE project = $1",
)


async def _select(connection: Any, trigger_id: TriggerId, tables: Iterable[TableRef]) -> None:
    await connection.executemany(
        "INSERT INTO catalog.trigger_tables VALUES ($1, $2, $3)",
        [(trigger_id, ref.project, str(ref.name)) for ref in tables],
    )


async def _json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=encode_json, decoder=json.loads)
