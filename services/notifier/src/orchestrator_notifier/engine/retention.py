"""Forgetting old facts with their deliveries, in batches small enough to disturb nobody."""

import asyncio

import asyncpg
import structlog

from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import Unavailable

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
BATCH = 500
PAUSE_SECONDS = 0.2


class Retention:
    """What is still to be sent is kept, however old."""

    def __init__(self, pool: asyncpg.Pool, facts: FactStore, *, days: int) -> None:
        self._pool = pool
        self._facts = facts
        self._days = days

    async def run(self) -> None:
        """Forget for ever."""
        while True:
            try:
                await self.once()
            except Unavailable as error:
                log.warning("retention.database_unavailable", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> int:
        """Forget everything that is old now; returns how many facts."""
        total = 0
        while True:
            async with acquire(self._pool) as connection:
                forgotten = await self._facts.forget(connection, self._days, BATCH)
            total += forgotten
            if forgotten < BATCH:
                return total
            await asyncio.sleep(PAUSE_SECONDS)
