"""The slow scan: finds finished runs whose event was lost, and measures the backlog of mails."""

import asyncpg

from orchestrator_notifier import metrics
from orchestrator_notifier.adapters.deliveries import DeliveryStore
from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.domain.facts import RootRun
from orchestrator_notifier.engine.timers import Timers
from orchestrator_notifier.handlers.facts import FactMaker
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.runtime.periodic import isolate

LIMIT = 500


class Scan:
    """Every replica scans; a fact has one key, so scanning twice is harmless."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        facts: FactStore,
        deliveries: DeliveryStore,
        maker: FactMaker,
        timers: Timers,
    ) -> None:
        self._pool = pool
        self._facts = facts
        self._deliveries = deliveries
        self._maker = maker
        self._timers = timers

    async def round(self) -> bool:
        """Scan and measure; returns whether there is more to do now."""
        again = await self.once()
        await self._measure()
        return again

    async def _measure(self) -> None:
        count, oldest = await self._deliveries.pending()
        metrics.PENDING.set(count)
        metrics.OLDEST_PENDING.set(oldest)

    async def once(self) -> bool:
        """Make the facts that are missing, then move the mark; returns whether there is more to do now."""
        async with acquire(self._pool) as connection:
            now = await self._facts.database_time(connection)
            roots = await self._facts.unnotified_roots(connection, LIMIT)
        await self._timers.watch()  # before the mark moves, since it looks back only that far
        recorded = [await self._record(root) for root in roots]
        is_all = all(recorded) and len(roots) < LIMIT
        if is_all:
            async with acquire(self._pool) as connection:
                await self._facts.advance(connection, now)
        return len(roots) == LIMIT and any(recorded)

    async def _record(self, root: RootRun) -> bool:
        """A root that fails leaves the mark where it is, so that it is tried again."""
        found = await isolate(self._maker.record_facts(root), kind="run", item=str(root.id))
        metrics.FOUND_BY_SCAN.inc(found or 0)
        return found is not None
