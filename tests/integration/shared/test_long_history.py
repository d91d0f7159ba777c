"""Queries about one configuration read a few of its jobs, however many it has had and whatever the values."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.pool import FIXED_PLANS
from orchestrator_shared.database.queries import Queries

LANES = 5
JOBS = 1500
"""In each lane."""
NEWEST = 5
"""Minutes that the notifier is behind, and so the runs that it has not looked at, apart from the last."""
ONE = "00000000-0000-0000-0000-000000000001"
WAITING = "00000000-0000-0000-0000-000000000002"
# Runs of the last day, one a minute, all ended; every other one with an error.
FILL = f"""
INSERT INTO catalog.projects (id, name) VALUES ('p', 'p');
INSERT INTO jobs.lanes (id, project, component, configuration, next_seq) OVERRIDING SYSTEM VALUE
SELECT n, 'p', 'orchestrator', 'c' || n, {JOBS + 1} FROM generate_series(1, {LANES}) AS n;
INSERT INTO jobs.jobs (
    id, lane_id, seq, project, component, configuration, kind, status, error_kind, origin, root_id,
    scheduled_for, requested_at, accepted_at, started_at, finished_at, version, full_run, used_updates,
    attempt)
SELECT id, lane, seq, 'p', 'orchestrator', configuration, 'run',
       CASE seq % 2 WHEN 0 THEN 'success' ELSE 'error' END, CASE seq % 2 WHEN 1 THEN 'user' END, 'api', id,
       at, at, at, at, at + interval '1 second', 1, true, '{{}}', 1
FROM (SELECT gen_random_uuid() AS id, l.id AS lane, l.configuration, seq,
             now() - make_interval(mins => {JOBS} - seq) AS at
      FROM generate_series(1, {JOBS}) AS seq, jobs.lanes l) AS run;
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
                       scheduled_for, requested_at)
SELECT '{WAITING}', id, 0, 'p', component, configuration, 'run', 'waiting', 'api', '{WAITING}', now(), now()
FROM jobs.lanes WHERE id = 3;
UPDATE catalog.projects SET parallel_limit = 5;
-- By itself it stands where the template of the database was made, and the test would depend on how long ago.
UPDATE notifications.progress SET finished_at = now() - interval '{NEWEST} minutes' WHERE name = 'runs';
INSERT INTO triggers.states
    (trigger_id, project, orchestration, name, version, reset_count, enabled, cool_down_seconds, mode)
VALUES ('{ONE}', 'p', 'c2', 't', 1, 0, true, 0, 'ignore');
INSERT INTO triggers.tables (project, name) VALUES ('p', 't');
INSERT INTO triggers.counts (trigger_id, table_project, table_name, counted, used)
VALUES ('{ONE}', 'p', 't', 0, 0);
ANALYZE
"""
LISTED = (
    "'lane', 'p', NULL, NULL, NULL, NULL, 50, 'orchestrator', 'c2', NULL, NULL, NULL, 'accepted_at', true, "
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, 50"
)
HELD = f"'{{{WAITING}}}', '{{-infinity}}', '{{infinity}}', 'p', 100"
LATEST = f"'p', 'c2', {JOBS}, '{ONE}', 1"
CASES = [
    ("runner.queue", "accept.sql", "unfinished_in_lane", "2", 0),
    ("runner.queue", "accept.sql", "waiting_run_of_schedule", f"2, '{ONE}'", 0),
    ("api.runs", "store.sql", "listed_jobs", LISTED, 50),
    ("api.runs", "store.sql", "jobs", f"'{{{WAITING}}}', '{{NULL}}', 'p'", 1),
    ("api.runs", "store.sql", "last_runs", "20, 'p', '{c1,c2}'", 40),
    ("api.runs", "usual.sql", "usual_durations", "'{orchestrator}', '{c2}', 'p'", 20),
    ("api.runs", "usual.sql", "usual_phases", f"'{WAITING}', 'p'", 21),
    ("api.runs", "errors.sql", "jobs_before", f"'p', 'orchestrator', 'c2', {JOBS}", 200),
    ("api.runs", "store.sql", "waiting_facts", f"'p', '{{{WAITING}}}'", 5),
    ("api.queue", "store.sql", "standings", f"'p', '{{{WAITING}}}'", 3),
    ("api.queue", "lanes.sql", "busy_lanes", "'p', NULL, NULL, 50", 1),
    ("api.queue", "lanes.sql", "waiting_in_lines", "20, 'p', '{3}'", 1),
    # A hundred on either side of the waiting one, however many there are; here none came before it.
    ("api.queue", "timeline.sql", "holders", HELD, 102),
    ("api.orchestrations", "store.sql", "written_tables", "'{orchestrator}', '{c2}', 'p'", 20),
    ("api.triggers", "store.sql", "last_full_run", "'p', 'c2'", 20),
    ("trigger_watcher.adapters", "trigger_store.sql", "read_starts", f"'{{{ONE}}}', 20", 20),
    ("trigger_watcher.adapters", "trigger_store.sql", "read_ends", f"'{{{ONE}}}'", 1),
    ("trigger_watcher.adapters", "catalog_store.sql", "unreconciled_orchestrations", "", 20),
    # A hundred roots before it and itself, and of each of the newest the run and the one before it.
    (
        "notifier.adapters",
        "facts.sql",
        "unnotified_runs",
        f"'p', 'c2', {JOBS}, '{ONE}', 1",
        101 + 2 * (NEWEST + 1),
    ),
]


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as connection:
        await connection.execute(FILL)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        # Whether a worker is free for a part of the plan is chance.
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


async def test_few_jobs_are_read(superuser: asyncpg.Connection) -> None:
    read = {}
    for package, file, name, arguments, _ in CASES:
        for setting, value in FIXED_PLANS.items() if package.startswith("runner") else ():
            await superuser.execute(f"SET {setting} = {value}")
        queries = Queries.load(f"orchestrator_{package}", file)
        read[name] = rows_read(await explained(superuser, queries[name], arguments), "jobs")
        await superuser.execute("RESET enable_seqscan")
    most = {name: allowed for _, _, name, _, allowed in CASES}
    assert {name: rows for name, rows in read.items() if rows > most[name]} == {}
