"""A run of very many tasks: what is asked of the database grows with them, and not faster."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import rows_read

from orchestrator_shared.database.pool import FIXED_PLANS, prepare_connection
from orchestrator_shared.database.queries import Queries

TASKS = 1_000
LANES = """
INSERT INTO jobs.lanes (project, component, configuration)
SELECT 'p', 'c', 'x' || n FROM generate_series(0, $1::integer) AS n
"""
RUN = """
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
                       scheduled_for, requested_at, attempt)
SELECT $1, min(id), 99, 'p', 'orchestrator', 'o', 'run', 'terminating', 'api', $1, now(), now(), 1
FROM jobs.lanes
"""
CHILDREN = """
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, parent_id,
                       root_id, depth, phase, task_id, scheduled_for, requested_at, finished_at)
SELECT gen_random_uuid(), l.id, 1, 'p', l.component, l.configuration, 'component', 'cancelled', 'parent', $1,
       $1, 1, 0, l.configuration, now(), now(), now()
FROM jobs.lanes l WHERE l.configuration <> 'x0'
"""
STARTED = """
INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,
                        continue_on_failure, status, job_id, lane_id, active)
SELECT $1, 0, lane_id, task_id, task_id, 'c', configuration, '{}', false, 'started', id, lane_id, true
FROM jobs.jobs WHERE parent_id = $1
"""


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Planned as the runner's statements are."""
    connection = await asyncpg.connect(database.url, server_settings={**FIXED_PLANS, "jit": "off"})
    await prepare_connection(connection)
    yield connection
    await connection.close(timeout=5)


async def read_by(connection: asyncpg.Connection, sql: str, *values: Any) -> float:
    answer = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, *values)
    return rows_read((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])


async def test_settling_reads_each_task_a_few_times(connection: asyncpg.Connection) -> None:
    """A stopped run of 10,000 tasks took 21 s when each of them counted all the others."""
    sql = Queries.load("orchestrator_runner.queue", "run_store.sql")["unapplied_results"]
    run = uuid4()
    await connection.execute(LANES, TASKS)
    await connection.execute(RUN, run)
    await connection.execute(CHILDREN, run)
    await connection.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'x', $2)", run, TASKS
    )
    await connection.execute(STARTED, run)
    await connection.execute("ANALYZE")
    jobs = [row["id"] for row in await connection.fetch("SELECT id FROM jobs.jobs WHERE parent_id = $1", run)]
    assert len(jobs) == TASKS
    assert await read_by(connection, sql, jobs) < 10 * TASKS
