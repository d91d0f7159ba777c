"""Old rows go in batches, by every query of the plan, as long as a batch is full."""

from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
from tests.support.databases import Database

from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Retention

QUERIES = Queries(
    {
        "low": "DELETE FROM old WHERE id IN (SELECT id FROM old WHERE id < $below ORDER BY id LIMIT $batch)",
        "pairs": "DELETE FROM old WHERE pair IN (SELECT DISTINCT pair FROM old ORDER BY pair LIMIT $batch)",
    }
)


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.url, min_size=1, max_size=1) as pool:
        await pool.execute(
            "CREATE TEMPORARY TABLE old AS SELECT id, id / 2 AS pair FROM generate_series(0, 19) id"
        )
        yield pool


async def test_forgetting_goes_on_while_batches_are_full(pool: asyncpg.Pool) -> None:
    told: list[tuple[str, int]] = []
    forgetting = Retention(
        partial(acquire, pool),
        QUERIES,
        {"low": {"below": 7}},
        batch=3,
        pause=0,
        count=lambda *one: told.append(one),
    )
    assert await forgetting.once() == {"low": 7}
    assert told == [("low", 3), ("low", 3), ("low", 1)]
    assert await forgetting.once() == {"low": 0}


async def test_a_query_may_delete_more_rows_than_a_batch(pool: asyncpg.Pool) -> None:
    forgetting = Retention(
        partial(acquire, pool), QUERIES, {"low": {"below": 4}, "pairs": {}}, batch=3, pause=0
    )
    assert await forgetting.once() == {"low": 4, "pairs": 16}
    assert await pool.fetchval("SELECT count(*) FROM old") == 0
