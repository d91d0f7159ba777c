"""Timers in the database: they outlive their replica, and any replica may look when one is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_notifier.domain.lateness import Watched
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that is due, and the run to look at."""

    key: str
    job_id: UUID


class TimerStore(Store):
    """Timers, and the runs that they watch."""

    queries = Queries.load(__package__, "timers.sql")

    async def runs_to_watch(self, *, overlap_seconds: float) -> list[UUID]:
        """Runs that may be late for a subscriber."""
        return await self._column(UUID, "runs_to_watch", overlap_seconds=overlap_seconds)

    async def watched(self, *, runs: Sequence[UUID]) -> list[Watched]:
        """These runs, once for each subscription to their being late."""
        return await self._many(Watched, "watched", runs=list(runs))

    async def set(self, *, watched: Sequence[tuple[Watched, datetime]]) -> None:
        """Set or move the timers; those that went off are not set again."""
        await self._run(
            "set",
            keys=[each.key for each, _ in watched],
            job_ids=[each.job_id for each, _ in watched],
            subscription_ids=[each.subscription_id for each, _ in watched],
            due_at=[due_at for _, due_at in watched],
        )

    async def due(self, *, limit: int) -> list[Timer]:
        """The timers whose time has come, by the clock of the database."""
        return await self._many(Timer, "due", limit=limit)

    async def claim(self, *, key: str) -> bool:
        """Lock a timer until the end of the transaction; False if another replica holds or handled it."""
        return bool(await self._value(bool, "claim", key=key))

    async def drop(self, *, key: str) -> None:
        """Delete a timer that went off."""
        await self._run("drop", key=key)

    async def put_off(self, *, key: str, due_at: datetime) -> None:
        """Move a timer whose run is now due later."""
        await self._run("put_off", key=key, due_at=due_at)
