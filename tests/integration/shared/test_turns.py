"""One replica measures for all; another one takes over when it stops, or is silent for too long."""

from functools import partial

import asyncpg
import pytest
from tests.support.databases import Database

from orchestrator_shared.database.pool import acquire, open_pool
from orchestrator_shared.database.turns import Measuring
from orchestrator_shared.settings import DatabaseSettings

EXPIRE = "UPDATE jobs.turns SET until = clock_timestamp() - interval '1 second'"


class Replica:
    """Notes what it would report."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.reported: int | None = None
        self.fails = False
        self.measuring = Measuring(
            partial(acquire, pool), schema="jobs", every=15, measure=self._measure, forget=self._forget
        )

    async def _measure(self, connection: asyncpg.Connection) -> None:
        if self.fails:
            raise ValueError("wrong query")
        self.reported = await connection.fetchval("SELECT 7")

    def _forget(self) -> None:
        self.reported = None


async def test_one_replica_measures_until_it_stops_or_is_silent(database: Database) -> None:
    pool = await open_pool(DatabaseSettings(database_url=database.url_for("runner")), application_name="test")
    try:
        first, second = Replica(pool), Replica(pool)
        for _ in range(2):
            await first.measuring.once()
            await second.measuring.once()
            assert (first.reported, second.reported) == (7, None)

        await first.measuring.pass_on()
        await second.measuring.once()
        await first.measuring.once()
        assert (first.reported, second.reported) == (None, 7), "a replica that stops leaves the turn"

        await pool.execute(EXPIRE)
        await first.measuring.once()
        await second.measuring.once()
        assert (first.reported, second.reported) == (7, None), "what a silent one knew is reported once"

        first.fails = True
        with pytest.raises(ValueError, match="wrong query"):
            await first.measuring.once()
        assert first.reported is None, "an old number is worse than none"
    finally:
        await pool.close()
