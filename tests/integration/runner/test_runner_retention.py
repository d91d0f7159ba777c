"""The runner forgets what is old, in batches, with the rights of its own role."""

import asyncpg
from tests.support.databases import Database

from orchestrator_runner.engine.retention import BATCH, retention

TOMBSTONES = """
INSERT INTO jobs.tombstones (job_id, at)
SELECT gen_random_uuid(), clock_timestamp() - make_interval(days => $2) FROM generate_series(1, $1)
"""
REPLICAS = """
INSERT INTO jobs.replicas (id, name, slots, lease_until, lost_at)
SELECT gen_random_uuid(), name, 1, clock_timestamp(), clock_timestamp() - make_interval(days => days)
FROM (VALUES ('old', 8), ('young', 6), ('alive', NULL)) AS r (name, days)
"""


async def test_old_rows_and_lost_replicas_are_forgotten(database: Database) -> None:
    await database.execute(TOMBSTONES, BATCH + 1, 11)
    await database.execute(TOMBSTONES, 1, 9)
    await database.execute(REPLICAS)
    async with asyncpg.create_pool(database.url_for("runner"), min_size=1, max_size=1) as pool:
        forgotten = await retention(pool, days=10, log_days=10).once()
    assert {name: rows for name, rows in forgotten.items() if rows} == {
        "forget_tombstones": BATCH + 1,
        "forget_replicas": 1,
    }
    left = await database.fetch("SELECT name FROM jobs.replicas ORDER BY name")
    assert [row["name"] for row in left] == ["alive", "young"]
