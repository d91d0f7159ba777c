"""Forgetting what is old, in batches small enough to disturb nobody."""

import asyncio

import asyncpg
import structlog

from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import Unavailable

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
BATCH = 200
PAUSE_SECONDS = 0.2


class Retention:
    """Finished runs with all below them, their logs (sooner), merges, skips and tombstones."""

    def __init__(self, pool: asyncpg.Pool, *, days: int, log_days: int) -> None:
        self._pool = pool
        self._queries = Queries.load("orchestrator_runner.adapters", "replicas.sql")
        self._plan = [
            ("forget_logs", log_days),
            ("forget_jobs", days),
            ("forget_records", days),
            ("forget_tombstones", days),
        ]

    async def run(self) -> None:
        """Forget for ever."""
        while True:
            try:
                await self.once()
            except Unavailable as error:
                log.warning("retention.database_unavailable", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> dict[str, int]:
        """Forget everything that is old now; returns how many rows of each kind."""
        counts = {name: await self._forget(name, days) for name, days in self._plan}
        async with acquire(self._pool) as connection:
            await connection.execute(self._queries["forget_replicas"])
        return counts

    async def _forget(self, name: str, days: int) -> int:
        total = 0
        while True:
            async with acquire(self._pool) as connection:
                status = await connection.execute(self._queries[name], days, BATCH)
            deleted = int(status.rsplit(" ", 1)[1])
            total += deleted
            if deleted == 0:
                return total
            await asyncio.sleep(PAUSE_SECONDS)
