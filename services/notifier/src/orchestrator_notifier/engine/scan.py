"""The slow scan: finds finished runs and links whose event was lost, and measures the backlog of mails."""

from uuid import UUID

import asyncpg

from orchestrator_notifier import metrics
from orchestrator_notifier.adapters.deliveries import DeliveryStore
from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.adapters.person_mails import PersonMailStore
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
        maker: FactMaker,
        timers: Timers,
        *,
        overlap_seconds: float,
    ) -> None:
        self._pool = pool
        self._maker = maker
        self._timers = timers
        self._overlap_seconds = overlap_seconds

    async def round(self) -> bool:
        """Scan and measure; returns whether there is more to do now."""
        more_runs = await self.once()
        more_links = await self.links_once()
        await self._measure()
        return more_runs or more_links

    async def _measure(self) -> None:
        async with acquire(self._pool) as connection:
            backlog = await DeliveryStore(connection).pending()
        metrics.PENDING.set(backlog.count)
        metrics.OLDEST_PENDING.set(backlog.oldest)

    async def once(self) -> bool:
        """Make the facts that are missing, then move the mark; returns whether there is more to do now."""
        async with acquire(self._pool) as connection:
            facts = FactStore(connection)
            now = await facts.database_time()
            roots = await facts.unnotified_roots(overlap_seconds=self._overlap_seconds, limit=LIMIT)
        await self._timers.watch()  # before the mark moves, since it looks back only that far
        recorded = [await self._record(root) for root in roots]
        is_all = all(recorded) and len(roots) < LIMIT
        if is_all:
            async with acquire(self._pool) as connection:
                await FactStore(connection).advance(to=now)
        return len(roots) == LIMIT and any(recorded)

    async def _record(self, root: RootRun) -> bool:
        """A root that fails leaves the mark where it is, so that it is tried again."""
        found = await isolate(self._maker.record_facts(root), kind="run", item=str(root.id))
        metrics.FOUND_BY_SCAN.inc(found or 0)
        return found is not None

    async def links_once(self) -> bool:
        """The same for links that people are to get."""
        async with acquire(self._pool) as connection:
            now = await FactStore(connection).database_time()
            links = await PersonMailStore(connection).unannounced(
                overlap_seconds=self._overlap_seconds, limit=LIMIT
            )
        recorded = [await self._record_link(link) for link in links]
        if all(recorded) and len(links) < LIMIT:
            async with acquire(self._pool) as connection:
                await PersonMailStore(connection).advance(to=now)
        return len(links) == LIMIT and any(recorded)

    async def _record_link(self, link: UUID) -> bool:
        made = await isolate(self._maker.record_person_mail(link), kind="link", item=str(link))
        metrics.FOUND_BY_SCAN.inc(1 if made else 0)
        return made is not None
