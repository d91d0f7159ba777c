"""What one runner reports of the queue and the lanes, and what it reads for that."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import REGISTRY
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_runner.queue import measuring
from orchestrator_runner.queue.measuring import MeasuringStore

HISTORY, WAITING_IN_ONE = 4000, 500
REPLICA = "00000000-0000-0000-0000-000000000001"


def jobs(lane: int, status: str, *, number: int = 1, first: int = 900_000, **columns: str) -> str:
    """Inserts jobs of one lane; columns as SQL."""
    values = {
        "project": "'p'",
        "component": "'orchestrator'",
        "configuration": f"'c{lane}'",
        "kind": "'component'",
        "origin": "'api'",
        "scheduled_for": "now()",
        "requested_at": "now()",
    } | columns
    return f"""
INSERT INTO jobs.jobs (id, root_id, lane_id, seq, status, {", ".join(values)})
SELECT id, id, {lane}, {first} + n, '{status}', {", ".join(values.values())}
FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, {number}) AS n) AS job;
"""


def ago(seconds: int) -> str:
    return f"now() - interval '{seconds} seconds'"


FILL = f"""
INSERT INTO catalog.projects (id, name) VALUES ('p', 'p');
INSERT INTO jobs.replicas (id, name, slots, lease_until) VALUES ('{REPLICA}', 'r', 8, now() + interval '1 h');
INSERT INTO jobs.lanes (id, project, component, configuration, next_seq) OVERRIDING SYSTEM VALUE
SELECT n, 'p', 'orchestrator', 'c' || n, 1000000 FROM generate_series(1, 6) AS n;
{jobs(1, "success", number=HISTORY, first=0, kind="'run'", started_at="now()", finished_at="now()")}
-- Lane 1 is held by a run, and many wait for it.
{jobs(1, "processing", first=800_000, kind="'run'", started_at="now()", attempt="1")}
{jobs(1, "waiting", number=WAITING_IN_ONE, kind="'run'", due_at=ago(100))}
-- Lanes 2 and 3: a job for which there is no slot, and one that is being stopped.
{jobs(2, "ready", ready_at=ago(40))}
{jobs(3, "terminating", started_at="now()", attempt="1", replica_id=f"'{REPLICA}'::uuid")}
-- Lane 4 waits for its next attempt, which blocks nobody. Nothing holds lane 5; lane 6 was just freed.
{jobs(4, "waiting", due_at="now() + interval '1 hour'", delayed="true", attempt="1")}
{jobs(5, "waiting", due_at=ago(70))}
{jobs(6, "waiting", due_at="now()")}
ANALYZE jobs.jobs
"""


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as found:
        await found.execute(FILL)
        await found.execute("SET enable_seqscan = off")  # as in every runner, and while measuring
        yield found


def reported(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_jobs_and_lanes_are_reported_and_forgotten(connection: asyncpg.Connection) -> None:
    await measuring.measure(connection)
    jobs = {
        (kind, status): reported("orchestrator_jobs", kind=kind, status=status)
        for kind in measuring.KINDS
        for status in measuring.UNFINISHED
    }
    assert {at: number for at, number in jobs.items() if number} == {
        ("run", "processing"): 1,
        ("run", "waiting"): WAITING_IN_ONE,
        ("component", "ready"): 1,
        ("component", "terminating"): 1,
        ("component", "waiting"): 3,
    }
    assert None not in jobs.values(), "a status without jobs is reported as 0"
    lanes = {state: reported("orchestrator_lanes", state=state) for state in ("held", "waited_for", "stuck")}
    assert lanes == {"held": 3, "waited_for": 3, "stuck": 1}
    assert 100 <= (reported("orchestrator_jobs_oldest_seconds", status="waiting") or 0) < 400
    assert 40 <= (reported("orchestrator_jobs_oldest_seconds", status="ready") or 0) < 340
    measuring.forget()
    assert reported("orchestrator_jobs", kind="run", status="waiting") is None
    assert reported("orchestrator_lanes", state="stuck") is None


@pytest.mark.parametrize(
    ("query", "arguments", "most"),
    [
        # Everything that is unfinished, and nothing of the history.
        ("unfinished_jobs", "10000", WAITING_IN_ONE + 10),
        ("unfinished_jobs", "50", 50 + 5),
        ("held_lanes", "10000", 3),
        ("oldest_ready", "", 2),
        # A few entries for each of the four lanes with waiting jobs, however many wait in one.
        ("lanes_waited_for", "10000, 60", 20),
    ],
)
async def test_neither_history_nor_a_long_queue_is_read(
    connection: asyncpg.Connection, query: str, arguments: str, most: int
) -> None:
    plan = await explained(connection, MeasuringStore.queries[query], arguments)
    assert rows_read(plan) <= most


def test_the_disk_of_the_work_directory_is_reported(tmp_path: Path) -> None:
    measuring.watch_disk(tmp_path)
    free = reported("orchestrator_runner_work_dir_bytes", state="free")
    total = reported("orchestrator_runner_work_dir_bytes", state="total")
    assert free is not None
    assert total is not None
    assert 0 < free < total
