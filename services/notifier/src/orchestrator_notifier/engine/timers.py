"""Timers of runs that may be late: set when a run is seen, judged by its recorded times when due."""

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
    """Every replica looks; a timer is held while it is judged, and its fact has one key."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        store: TimerStore,
        facts: FactStore,
        wake: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._store = store
        self._facts = facts
        self._wake = wake

    async def watch(self, runs: Sequence[UUID] | None = None) -> None:
        """Set the timers of these runs, or of all that are underway or were so at the last scan."""
        async with transaction(self._pool) as connection:
            chosen = await self._store.runs_to_watch(connection) if runs is None else runs
            watched = await self._store.watched(connection, chosen) if chosen else []
            looks = [(each, due_at) for each in watched if (due_at := may_be_late(each)) is not None]
            if looks:
                await self._store.set(connection, looks)

    async def once(self) -> bool:
        """Judge what is due; returns whether there may be more."""
        async with acquire(self._pool) as connection:
            timers = await self._store.due(connection, LIMIT)
        judged = [await isolate(self._judge(timer), kind="timer", item=timer[0]) for timer in timers]
        if any(judged):
            self._wake()
        return len(timers) == LIMIT and any(judged)

    async def _judge(self, timer: Timer) -> bool:
        key, run = timer
        async with transaction(self._pool) as connection:
            if not await self._store.claim(connection, key):
                return False
            watched = {each.key: each for each in await self._store.watched(connection, [run])}
            found = watched.get(key)  # not if the subscription ended
            due_at = may_be_late(found) if found is not None else None
            if due_at is not None and due_at > await self._facts.database_time(connection):
                await self._store.put_off(connection, key, due_at)
                return True
            if found is not None and due_at is not None:
                await self._facts.save(connection, late_fact(found), set())
            await self._store.drop(connection, key)
            failpoints.reach(failpoints.BEFORE_COMMIT)
        return True
