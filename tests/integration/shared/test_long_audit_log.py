"""However long the audit log is: a page of it, by any filter, reads about as many records as it shows."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.queries import Queries

FILL = """
INSERT INTO catalog.audit (id, project, actor, action, subject, detail, at, request_id)
SELECT gen_random_uuid(), CASE n % 100 WHEN 0 THEN NULL ELSE 'p' || n % 3 END, 'a' || n % 7, 'x.' || n % 11,
       's' || n % 1000, '{}', timestamptz '2026-01-01Z' + n * interval '1 second', 'r' || n / 3
FROM generate_series(1, 40000) AS n;
ANALYZE catalog.audit
"""
QUERIES = Queries.load("orchestrator_api.access", "audit_store.sql")
BEGINNING, END = "'-infinity'", "'infinity'"
MIDDLE = "'2026-01-01T05:00:00Z'"
LAST = "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
PAGE = 21
NO_FILTER = dict.fromkeys(("actor", "action", "subject", "request_id"), "NULL")
ALL = {"since": BEGINNING, "before": END, "before_id": LAST, "limit": str(PAGE), **NO_FILTER}
FILTERS = {"actor": "'a3'", "action": "'x.5'", "subject": "'s7'", "request_id": "'r5000'"}
PLACES: list[dict[str, str]] = [{}, {"before": MIDDLE}, {"since": MIDDLE}]


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as connection:
        await connection.execute(FILL)
        await connection.execute("SET plan_cache_mode = force_generic_plan")  # which the store sets aside
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


async def rows_of(connection: asyncpg.Connection, name: str, **given: str) -> float:
    arguments = QUERIES.arguments(name, {**ALL, **given})
    async with connection.transaction():
        await connection.execute(QUERIES["plan_for_these_values"])
        return rows_read(await explained(connection, QUERIES[name], ", ".join(map(str, arguments))))


async def test_a_page_reads_what_it_shows(superuser: asyncpg.Connection) -> None:
    """The first page, one further on, and the records since an instant."""
    read = {}
    for place in PLACES:
        for name in (None, *FILTERS):
            filtered = {name: FILTERS[name]} if name else {}
            case = " ".join([name or "all", *place])
            read[case] = await rows_of(superuser, "records", project="'p1'", **place, **filtered)
        read[" ".join(["instance", *place])] = await rows_of(superuser, "instance_records", **place)
    assert len(read) == 3 * 6
    assert {case: rows for case, rows in read.items() if rows > PAGE + 1} == {}


async def test_two_filters_read_what_the_rarer_one_finds(superuser: asyncpg.Connection) -> None:
    both = {"actor": FILTERS["actor"], "subject": FILTERS["subject"]}
    assert await rows_of(superuser, "records", project="'p1'", **both) <= 40_000 / 1000 / 3 + 1


async def test_forgetting_reads_no_young_records(superuser: asyncpg.Connection) -> None:
    """While nothing is old enough; by the summaries of the blocks, since the function's plan is not shown."""
    await superuser.execute("SET enable_seqscan = off")
    plan = await explained(
        superuser, "SELECT id FROM catalog.audit WHERE at < timestamptz '2025-01-01Z' LIMIT 1000", ""
    )
    assert rows_read(plan) == 0
