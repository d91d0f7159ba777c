"""Where a configuration is used, and what is in the trash, is found by an index in a large project."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_shared.database.queries import Queries

MANY = 3000
FILL = f"""
INSERT INTO catalog.projects (id, name) VALUES ('p', 'p'), ('q', 'q');
INSERT INTO catalog.components (id, name, type, executor, definition)
VALUES ('csv', 'c', 'extractor', 'process', '{{}}');
INSERT INTO catalog.configurations (project, component, id, name, version, deleted_at)
SELECT 'p', 'orchestrator', 'o' || n, 'o', 2, CASE WHEN n % 100 = 0 THEN now() - n * interval '1 s' END
FROM generate_series(1, {MANY}) AS n;
INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
SELECT 'p', 'orchestrator', 'o' || n, version, format('{{"phases": [{{"name": "x", "tasks": [
    {{"id": "csv/c%1$s", "component": "csv", "configuration": "c%1$s", "enabled": true}}]}}]}}',
    n % 1000)::jsonb, 'x'
FROM generate_series(1, {MANY}) AS n CROSS JOIN generate_series(1, 2) AS version;
ANALYZE
"""


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as found:
        await found.execute(FILL)
        yield found


@pytest.mark.parametrize(
    ("query", "arguments", "most"),
    [
        # Three orchestrations, each with two versions and its row, one of two looked up in vain.
        ("using_tasks", "'p', 'c7', 'csv', NULL, NULL, 101", 15),
        ("usages", "'p', 'c7', 'csv'", 15),
        # A page of the trash, and what starts those on it.
        ("trash", "'p', NULL, NULL, 11", 12),
        ("trash", "'p', now() - interval '1500 s', 'orchestrator/o1', 6", 8),
    ],
)
async def test_rows_read(connection: asyncpg.Connection, query: str, arguments: str, most: int) -> None:
    sql = Queries.load("orchestrator_api.catalog", "store.sql")[query]
    plan = await explained(connection, sql, arguments)
    assert rows_read(plan) <= most
