"""From hints and messages to facts: one transaction each, the same however often it is heard."""

from collections.abc import Callable, Sequence
from typing import Protocol, cast
from uuid import UUID

import asyncpg

from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.domain.facts import Fact, RootRun, deadline_missed, facts_of_run, schedule_missed
from orchestrator_shared.contracts.events import (
    RunFinished,
    RunStarted,
    ScheduleMissed,
    TriggerDeadlineMissed,
)
from orchestrator_shared.database.pool import acquire, transaction
from orchestrator_shared.messaging.consumer import Delivery
from orchestrator_shared.runtime import failpoints


class Timers(Protocol):
    """Look for runs that are late."""

    async def watch(self, runs: Sequence[UUID]) -> None:
        """From now on, for these."""


class FactMaker:
    """Makes facts durable, then wakes whoever sends mails."""

    def __init__(
        self, pool: asyncpg.Pool, store: FactStore, timers: Timers, wake: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._store = store
        self._timers = timers
        self._wake = wake

    async def run_started(self, delivery: Delivery) -> None:
        """Nobody is told of a start; whether it takes too long is looked for from now on."""
        await self._timers.watch([cast(RunStarted, delivery.message).job_id])

    async def run_finished(self, delivery: Delivery) -> None:
        """A hint: the truth is in the run's row."""
        message = cast(RunFinished, delivery.message)
        async with acquire(self._pool) as connection:
            root = await self._store.root_of(connection, message.job_id)
        if root is not None:
            await self.tell_root(root)

    async def tell_root(self, root: RootRun) -> int:
        """Make the missing facts of a root and all below it, after those of its predecessors."""
        async with transaction(self._pool) as connection:
            runs = await self._store.untold_runs(connection, root)
            roots = dict.fromkeys(run.root_id for run in runs)
            families = {each: await self._store.family(connection, each) for each in roots}
            for run in runs:
                told: set[str] = set()
                for fact in facts_of_run(run):
                    told |= await self._store.save(connection, fact, told, families[run.root_id])
            failpoints.reach(failpoints.BEFORE_COMMIT)
        self._wake()
        return len(runs)

    async def schedule_missed(self, delivery: Delivery) -> None:
        """Fires passed that nobody made up."""
        await self._tell(schedule_missed(cast(ScheduleMissed, delivery.message)))

    async def deadline_missed(self, delivery: Delivery) -> None:
        """A trigger's tables were late."""
        await self._tell(deadline_missed(cast(TriggerDeadlineMissed, delivery.message)))

    async def _tell(self, fact: Fact) -> None:
        async with transaction(self._pool) as connection:
            await self._store.save(connection, fact, set())
        self._wake()
