"""Timers of runs that may be late: set when a run is seen, checked against its recorded times when due."""

from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg

from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.adapters.timers import Timer, TimerStore
from orchestrator_notifier.domain.lateness import late_fact, may_be_late
from orchestrator_shared.database.pool import acquire, transaction
from orchestrator_shared.runtime import failpoints
from orchestrator_shared.runtime.periodic import isolate

LIMIT = 200


class Timers:
    """Every replica checks timers; one is locked while it is checked, and its fact has one key."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        wake: Callable[[], None],
        *,
        message_domain: str,
        overlap_seconds: float,
    ) -> None:
        self._pool = pool
        self._wake = wake
        self._message_domain = message_domain
        self._overlap_seconds = overlap_seconds

    async def watch(self, runs: Sequence[UUID] | None = None) -> None:
        """Set the timers of these runs, or of all that are underway or were so at the last scan."""
        async with transaction(self._pool) as connection:
            timers = TimerStore(connection)
            if runs is None:
                runs = await timers.runs_to_watch(overlap_seconds=self._overlap_seconds)
            watched = await timers.watched(runs=runs) if runs else []
            looks = [(each, due_at) for each in watched if (due_at := may_be_late(each)) is not None]
            if looks:
                await timers.set(watched=looks)

    async def once(self) -> bool:
        """Check the timers that are due; returns whether there may be more."""
        async with acquire(self._pool) as connection:
            timers = await TimerStore(connection).due(limit=LIMIT)
        done = [await isolate(self._check(timer), kind="timer", item=timer.key) for timer in timers]
        if any(done):
            self._wake()
        return len(timers) == LIMIT and any(done)

    async def _check(self, timer: Timer) -> bool:
        async with transaction(self._pool) as connection:
            timers, facts = TimerStore(connection), FactStore(connection)
            if not await timers.claim(key=timer.key):
                return False
            watched = {each.key: each for each in await timers.watched(runs=[timer.job_id])}
            found = watched.get(timer.key)  # not if the subscription ended
            due_at = may_be_late(found) if found is not None else None
            if due_at is not None and due_at > await facts.database_time():
                await timers.put_off(key=timer.key, due_at=due_at)
                return True
            if found is not None and due_at is not None:
                await facts.save(fact=late_fact(found), notified=set(), message_domain=self._message_domain)
            await timers.drop(key=timer.key)
            failpoints.reach(failpoints.BEFORE_COMMIT)
        return True
