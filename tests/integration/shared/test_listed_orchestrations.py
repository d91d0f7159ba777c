"""A page of orchestrations reads what belongs to these, however many the project has."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.queries import Queries

MANY = 2000
PAGE = "'{o1,o500}'"
NESTED = """
CREATE FUNCTION pg_temp.nested(n integer) RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('component', 'orchestrator', 'configuration', 'o' || n)
"""
# Of each ten the first runs the second, and that the third and fourth.
FILL = f"""
INSERT INTO catalog.projects (id, name) VALUES ('p', 'p');
INSERT INTO catalog.configurations (project, component, id, name, version)
SELECT 'p', 'orchestrator', 'o' || n, 'o', 1 FROM generate_series(1, {MANY}) AS n;
INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
SELECT 'p', 'orchestrator', 'o' || n, 1,
       jsonb_build_object('phases', jsonb_build_array(jsonb_build_object('name', 'x', 'tasks', CASE n % 10
           WHEN 1 THEN jsonb_build_array(pg_temp.nested(n + 1))
           WHEN 2 THEN jsonb_build_array(pg_temp.nested(n + 1), pg_temp.nested(n + 2))
           ELSE '[]' END))), 'x'
FROM generate_series(1, {MANY}) AS n;
INSERT INTO catalog.components (id, name, type, executor, definition)
VALUES ('before', 'b', 'extractor', 'process', '{{}}'), ('then', 't', 'writer', 'process', '{{}}');
INSERT INTO catalog.configurations (project, component, id, name, version)
SELECT 'p', component, 'c' || n, 'c', 1
FROM generate_series(1, {MANY}) AS n CROSS JOIN unnest('{{before,then}}'::text[]) AS component;
INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
SELECT project, component, id, 1, '{{}}', 'x' FROM catalog.configurations WHERE component <> 'orchestrator';
INSERT INTO catalog.schedules (id, project, orchestration, name, cron)
SELECT gen_random_uuid(), 'p', 'o' || n, 's', '0 5 * * *' FROM generate_series(1, {MANY}) AS n;
INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, anchor)
SELECT id, project, version, true, now() FROM catalog.schedules;
INSERT INTO catalog.triggers (id, project, orchestration, name)
SELECT gen_random_uuid(), 'p', 'o' || n, 't' FROM generate_series(1, {MANY}) AS n;
INSERT INTO catalog.trigger_tables (trigger_id, table_project, table_name)
SELECT id, 'p', 'in.c-a.' || n FROM catalog.triggers CROSS JOIN generate_series(1, 2) AS n;
INSERT INTO catalog.subscriptions (id, project, orchestration, event, address)
SELECT gen_random_uuid(), 'p', 'o' || n, 'error', 'a@b.cz' FROM generate_series(1, {MANY}) AS n;
ANALYZE
"""
CASES = [
    # Two of the page, each with its version.
    (
        "catalog",
        "listed_configurations",
        f"'{{orchestrator,orchestrator}}', {PAGE}, '{{n,n}}', '{{now,now}}', 'p'",
        4,
    ),
    # The last four of the project's orchestrations.
    (
        "catalog",
        "configurations_by_id",
        "NULL, NULL, NULL, NULL, 'p', 'orchestrator', NULL, NULL, 'orchestrator', 'o995', 10",
        9,
    ),
    # A schedule and its next fire each.
    ("schedules", "schedules", f"'p', {PAGE}, NULL", 4),
    # A trigger and its two tables each.
    ("triggers", "triggers", f"'p', {PAGE}, NULL", 6),
    # A subscription each, in the view and beside it.
    ("notifications", "subscriptions", f"'p', {PAGE}", 4),
    # Of o2, and of o3 and o4, which it runs, the configuration and its version.
    ("catalog", "nestings_below", "'{o2}', 'p'", 6),
    ("orchestrations", "task_targets", "false, '{orchestrator}', '{o2}', 'p'", 2),
]


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as connection:
        await connection.execute(NESTED)
        await connection.execute(FILL)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        yield connection


async def test_a_page_reads_what_belongs_to_it(superuser: asyncpg.Connection) -> None:
    read = {}
    for room, name, arguments, _ in CASES:
        queries = Queries.load(f"orchestrator_api.{room}", "store.sql")
        read[name] = rows_read(await explained(superuser, queries[name], arguments))
    most = {name: allowed for _, name, _, allowed in CASES}
    assert {name: rows for name, rows in read.items() if rows > most[name]} == {}


async def test_nestings_below_are_all_of_them_and_no_others(superuser: asyncpg.Connection) -> None:
    """Also where they run each other in a cycle."""
    await superuser.execute(
        "UPDATE catalog.configuration_versions SET parameters = jsonb_set("
        "parameters, '{phases,0,tasks}', jsonb_build_array(pg_temp.nested(1))) WHERE configuration = 'o4'"
    )
    query = Queries.load("orchestrator_api.catalog", "store.sql")["nestings_below"]
    found = {(row["parent"], row["child"]) for row in await superuser.fetch(query, ["o2"], "p")}
    assert found == {("o2", "o3"), ("o2", "o4"), ("o4", "o1"), ("o1", "o2")}
