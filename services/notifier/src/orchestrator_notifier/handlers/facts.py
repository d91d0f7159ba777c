"""Turns hints and messages into facts: one transaction each, the same however often they come."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, cast
from uuid import UUID

import asyncpg

from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.adapters.person_mails import PersonMailStore
from orchestrator_notifier.domain.facts import Fact, RootRun, deadline_missed, facts_of_run, schedule_missed
from orchestrator_notifier.domain.trial_mail import trial_fact
from orchestrator_shared.contracts.events import (
    PersonMailRequested,
    RunFinished,
    RunStarted,
    ScheduleMissed,
    TestMailRequested,
    TriggerDeadlineMissed,
)
from orchestrator_shared.database.pool import acquire, transaction
from orchestrator_shared.messaging.consumer import Delivery
from orchestrator_shared.runtime import failpoints


class Timers(Protocol):
    """Look for runs that are late."""

    async def watch(self, runs: Sequence[UUID]) -> None:
        """Watch these runs from now on."""


class FactMaker:
    """Stores facts, then wakes the mail sender."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        timers: Timers,
        wake: Callable[[], None],
        *,
        message_domain: str,
        overlap_seconds: float,
    ) -> None:
        self._pool = pool
        self._message_domain = message_domain
        self._overlap_seconds = overlap_seconds
        self._timers = timers
        self._wake = wake

    async def run_started(self, delivery: Delivery) -> None:
        """A start notifies no one; from now on the run is watched for taking too long."""
        await self._timers.watch([cast(RunStarted, delivery.message).job_id])

    async def run_finished(self, delivery: Delivery) -> None:
        """A hint: what counts is the run's row."""
        message = cast(RunFinished, delivery.message)
        async with acquire(self._pool) as connection:
            root = await FactStore(connection).root_of(run=message.job_id)
        if root is not None:
            await self.record_facts(root)

    async def record_facts(self, root: RootRun) -> int:
        """Record the missing facts of a root and of all runs below it, after those of its predecessors."""
        async with transaction(self._pool) as connection:
            store = FactStore(connection)
            runs = await store.unnotified_runs(root=root, overlap_seconds=self._overlap_seconds)
            roots = dict.fromkeys(run.root_id for run in runs)
            trees = {each: await store.tree(root=each) for each in roots}
            for run in runs:
                notified: set[str] = set()
                for fact in facts_of_run(run):
                    notified |= await store.save(
                        fact=fact,
                        notified=notified,
                        message_domain=self._message_domain,
                        tree=trees[run.root_id],
                    )
            failpoints.reach(failpoints.BEFORE_COMMIT)
        self._wake()
        return len(runs)

    async def schedule_missed(self, delivery: Delivery) -> None:
        """Fires were missed and not made up."""
        await self._record(schedule_missed(cast(ScheduleMissed, delivery.message)))

    async def deadline_missed(self, delivery: Delivery) -> None:
        """A trigger's tables were late."""
        await self._record(deadline_missed(cast(TriggerDeadlineMissed, delivery.message)))

    async def person_mail_requested(self, delivery: Delivery) -> None:
        """A hint: the truth is in the link's row."""
        await self.record_person_mail(cast(PersonMailRequested, delivery.message).link_id)

    async def test_mail_requested(self, delivery: Delivery) -> None:
        """Someone wants to see that mails arrive."""
        await self._record(trial_fact(cast(TestMailRequested, delivery.message)))

    async def record_person_mail(self, link: UUID) -> bool:
        """Record that a person is to get a link, unless it is over; returns whether it is not."""
        async with acquire(self._pool) as connection:
            mail = await PersonMailStore(connection).mail(link=link)
        if mail is None or mail.why_not(mail.email, datetime.now(UTC)):
            return False
        await self._record(mail.fact)
        return True

    async def _record(self, fact: Fact) -> None:
        async with transaction(self._pool) as connection:
            await FactStore(connection).save(fact=fact, notified=set(), message_domain=self._message_domain)
        self._wake()
