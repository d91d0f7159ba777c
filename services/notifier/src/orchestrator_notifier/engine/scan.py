"""The slow scan: finds finished runs whose event was lost, and measures what waits."""

import asyncio

import asyncpg
import structlog

from orchestrator_notifier import metrics
from orchestrator_notifier.adapters.deliveries import DeliveryStore
from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.domain.facts import RootRun
from orchestrator_notifier.engine.timers import Timers
from orchestrator_notifier.handlers.facts import FactMaker
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outage_log import Outage

log = structlog.get_logger(__name__)

LIMIT = 500


class Scan:
    """Every replica scans; a fact has one key, so that is harmless."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        facts: FactStore,
        deliveries: DeliveryStore,
        maker: FactMaker,
        timers: Timers,
        *,
        every_seconds: float,
    ) -> None:
        self._pool = pool
        self._facts = facts
        self._deliveries = deliveries
        self._maker = maker
        self._timers = timers
        self._every = every_seconds

    async def run(self) -> None:
        """Scan for ever."""
        outage = Outage("scan")
        while True:
            again = False
            try:
                again = await self.once()
                await self._measure()
                outage.end()
            except Unavailable as error:
                if outage.is_news(str(error)):
                    log.warning("scan.database_unavailable", reason=str(error))
            if not again:
                await asyncio.sleep(self._every)

    async def _measure(self) -> None:
        count, oldest = await self._deliveries.pending()
        metrics.PENDING.set(count)
        metrics.OLDEST_PENDING.set(oldest)

    async def once(self) -> bool:
        """Make the facts that are missing, then move the mark; returns whether there is more to do now."""
        async with acquire(self._pool) as connection:
            now = await self._facts.database_time(connection)
            roots = await self._facts.untold_roots(connection, LIMIT)
        await self._timers.watch()  # before the mark moves: it is how far back this looks
        told = [await self._tell(root) for root in roots]
        is_all = all(told) and len(roots) < LIMIT
        if is_all:
            async with acquire(self._pool) as connection:
                await self._facts.advance(connection, now)
        return len(roots) == LIMIT and any(told)

    async def _tell(self, root: RootRun) -> bool:
        try:
            metrics.FOUND_BY_SCAN.inc(await self._maker.tell_root(root))
        except Unavailable:
            raise
        except Exception:
            # Not one root may keep the others from being told; the mark stays, so it is tried again.
            log.exception("scan.root_failed", root=str(root.id))
            return False
        return True
