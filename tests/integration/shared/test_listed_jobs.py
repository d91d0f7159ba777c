"""A page of jobs looks at a bounded number of them, whatever is asked for and however many there are."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.queries import Queries

JOBS, LANES = 20_000, 100
TROUBLED = JOBS // 1000
ONE = "00000000-0000-0000-0000-000000000001"
OTHERS = 3_000
# The runs of a day, one every few seconds; one in a thousand with an error. Another project's ended later.
FILL = f"""
INSERT INTO catalog.projects (id, name) VALUES ('p', 'p');
INSERT INTO jobs.lanes (id, project, component, configuration, next_seq) OVERRIDING SYSTEM VALUE
SELECT n, 'p', 'orchestrator', 'c' || n, {JOBS} FROM generate_series(1, {LANES}) AS n;
INSERT INTO jobs.jobs (
    id, lane_id, seq, project, component, configuration, kind, status, error_kind, origin, root_id,
    scheduled_for, requested_at, accepted_at, started_at, finished_at, version, full_run, used_updates,
    attempt)
SELECT id, n % {LANES} + 1, n / {LANES}, 'p', 'orchestrator', 'c' || n % {LANES} + 1, 'run',
       CASE WHEN n % 1000 = 0 THEN 'error' ELSE 'success' END, CASE WHEN n % 1000 = 0 THEN 'user' END,
       'api', id, at, at, at, at, at + interval '1 second', 1, true, '{{}}', 1
FROM (SELECT gen_random_uuid() AS id, n, now() - make_interval(secs => 4 * ({JOBS} - n)) AS at
      FROM generate_series(1, {JOBS}) AS n) AS run;
INSERT INTO catalog.run_requests
    (job_id, project, component, configuration, origin, requested_by, scheduled_for, requested_at, token_id)
SELECT id, project, component, configuration, 'api', 'x', scheduled_for, requested_at, '{ONE}' FROM jobs.jobs;
INSERT INTO catalog.projects (id, name) VALUES ('q', 'q');
INSERT INTO jobs.lanes (id, project, component, configuration, next_seq) OVERRIDING SYSTEM VALUE
VALUES ({LANES} + 1, 'q', 'orchestrator', 'c', {OTHERS} + 1);
INSERT INTO jobs.jobs (
    id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
    scheduled_for, requested_at, started_at, finished_at, version, full_run, used_updates, attempt)
SELECT id, {LANES} + 1, n, 'q', 'orchestrator', 'c', 'run', 'success', 'api', id, now(), now(),
       now(), now() + interval '1 minute', 1, true, '{{}}', 1
FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, {OTHERS}) AS n) AS run;
ANALYZE
"""
QUERIES = Queries.load("orchestrator_api.runs", "store.sql")
SCAN = 500
"""Instead of 5,000."""
NOTHING: dict[str, str] = {
    "path": "'project'",
    "project": "'p'",
    "scan": str(SCAN),
    "limit": "51",
    "searches_messages": "true",
    "order": "'accepted_at'",
    "in_path_order": "true",
    "token_id": f"'{ONE}'",
}
OLD = "now() - interval '12 hours'"
FINISHED = {"path": "'finished'", "order": "'finished_at'"}
LONGEST = {"order": "'duration'", "in_path_order": "false", "scan": str(SCAN)}
BEHIND = {"sorted_before": "'1970-01-01 00:00:02Z'", "sorted_before_id": f"'{ONE}'"}
REQUESTS = SCAN + 200
CASES: dict[str, tuple[dict[str, str], int]] = {
    "newest": ({"scan": "51"}, 51),
    "a later page": ({"scan": "51", "before": OLD, "before_id": f"'{ONE}'"}, 51),
    "period": ({"scan": "51", "since": OLD, "until": "now() - interval '11 hours'"}, 51),
    "search": ({"search": "'no such text'"}, SCAN),
    "status": ({"statuses": "'{waiting}'"}, SCAN),
    "duration": ({"longer_than_seconds": "3600"}, SCAN),
    "origin": ({"origins": "'{manual,retry}'"}, SCAN),
    "troubled": ({"path": "'troubled'", "statuses": "'{error}'"}, TROUBLED),
    "unfinished": ({"path": "'unfinished'", "statuses": "'{waiting,processing}'"}, 0),
    "runs": ({"path": "'lane'", "component": "'orchestrator'", "configuration": "'c2'", "scan": "51"}, 51),
    "configuration of any component": (
        {"path": "'configuration'", "configuration": "'c2'", "scan": "51"},
        JOBS // LANES,
    ),
    "parent": ({"path": "'parent'", "parent": f"'{ONE}'"}, 0),
    "root": ({"path": "'root'", "root": f"'{ONE}'"}, 0),
    "id": ({"path": "'id'", "job_id": f"'{ONE}'"}, 0),
    "last finished": ({**FINISHED, "scan": "51"}, 51),
    "a later page of them": ({**FINISHED, "scan": "51", "before": OLD, "before_id": f"'{ONE}'"}, 51),
    "search among them": ({**FINISHED, "search": "'no such text'"}, SCAN),
    "longest": (LONGEST, SCAN),
    "a later page of the longest": ({**LONGEST, **BEHIND}, SCAN),
    "longest of a day": ({**LONGEST, "since": OLD, "until": "now() - interval '11 hours'"}, SCAN),
    "longest runs": (
        {**LONGEST, "path": "'lane'", "component": "'orchestrator'", "configuration": "'c2'"},
        JOBS // LANES,
    ),
    "last finished failures": ({**LONGEST, "path": "'troubled'", "order": "'finished_at'"}, TROUBLED),
}
"""What is asked for, and how many jobs that may read."""


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as connection:
        await connection.execute(FILL)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


def arguments(name: str, given: dict[str, str]) -> str:
    parameters = QUERIES.parameters(name)
    return ", ".join({**NOTHING, **given}.get(each, "NULL") for each in parameters)


async def test_a_page_looks_at_few_jobs(superuser: asyncpg.Connection) -> None:
    read = {}
    for case, (given, most) in CASES.items():
        plan = await explained(superuser, QUERIES["listed_jobs"], arguments("listed_jobs", given))
        # Each recent request is looked up among the jobs, once.
        read[case] = (rows_read(plan, "jobs") - most, rows_read(plan, "run_requests"))
    assert {case: found for case, found in read.items() if max(found) > REQUESTS} == {}


async def test_a_page_of_own_runs_looks_at_few_requests(superuser: asyncpg.Connection) -> None:
    later = {"before": OLD, "before_id": f"'{ONE}'", "scan": "51"}
    for given in ({"search": "'no such text'"}, later, {**LONGEST, **BEHIND}):
        plan = await explained(superuser, QUERIES["listed_own_runs"], arguments("listed_own_runs", given))
        assert rows_read(plan, "run_requests") <= SCAN
        assert rows_read(plan, "jobs") <= SCAN
