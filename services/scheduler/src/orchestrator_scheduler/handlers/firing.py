"""Fires schedules: the record of a fire, the request of its run and the next fire, in one transaction."""

import asyncio
import time
from datetime import datetime

from orchestrator_scheduler import metrics
from orchestrator_scheduler.adapters.store import ScheduleStore
from orchestrator_scheduler.domain.evaluation import (
    Definition,
    Evaluation,
    Known,
    Limits,
    Outcome,
    Planned,
    evaluate_due,
)
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import ScheduleMissed
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.ids import ScheduleId, fire_job_id
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.messaging.outbox import UnitOfWork, UnitsOfWork
from orchestrator_shared.runtime.retry import wait_for_any

TRIES = 10
SHORTEST_SLEEP_SECONDS = 0.02


class SavedMeanwhile(Exception):
    """Someone saved the schedule while it was being evaluated: roll back and read it again."""


class Firing:
    """Every replica fires what is due; the lock on a schedule's row lets one do so at a time."""

    def __init__(
        self,
        *,
        outbox: UnitsOfWork,
        connections: Connections,
        limits: Limits,
        batch: int,
    ) -> None:
        self._outbox = outbox
        self._connections = connections
        self._limits = limits
        self._batch = batch
        self.wake = asyncio.Event()
        """Set when there may be an earlier fire than the one waited for."""
        self._due_at: float | None = None
        metrics.OVERDUE_SECONDS.set_function(lambda: self.overdue_seconds)

    @property
    def overdue_seconds(self) -> float:
        """How long the next fire has been due; it grows as well while nothing is decided at all."""
        return 0.0 if self._due_at is None else max(0.0, time.monotonic() - self._due_at)

    async def fire_due(self) -> int:
        """Evaluate one batch of schedules that are due; returns how many."""
        for _ in range(TRIES):
            try:
                async with self._outbox.work() as work:
                    claimed = await ScheduleStore(work.connection).claim_due(most=self._batch)
                    await self._evaluate_all(work, claimed)
                return len(claimed)
            except SavedMeanwhile:
                continue
        raise Unavailable("schedules were saved again and again while they were read")

    async def sync(self, schedule_id: ScheduleId) -> None:
        """Apply one schedule's current definition from the catalog; idempotent."""
        for _ in range(TRIES):
            try:
                async with self._outbox.work() as work:
                    known = await ScheduleStore(work.connection).lock(schedule_id=schedule_id)
                    if known is not None:
                        await self._evaluate_all(work, {schedule_id: known})
                    work.after_commit(metrics.SYNCED.inc)
                    work.after_commit(self.wake.set)
                return
            except SavedMeanwhile:
                continue
        raise Unavailable(f"schedule {schedule_id} was saved again and again while it was read")

    async def seconds_to_next(self) -> float | None:
        async with self._connections() as connection:
            seconds = await ScheduleStore(connection).seconds_to_next()
        self._due_at = None if seconds is None else time.monotonic() + seconds
        return seconds

    async def _evaluate_all(self, work: UnitOfWork, known: dict[ScheduleId, Known]) -> None:
        schedules = ScheduleStore(work.connection)
        definitions = await schedules.definitions(schedule_ids=list(known))
        now = await schedules.now()
        for schedule_id in sorted(known):
            if schedule_id not in definitions:
                await schedules.remove(schedule_id=schedule_id)
            elif (definition := definitions[schedule_id]) is None:
                await schedules.set_aside(schedule_id=schedule_id)
            else:
                await self._evaluate(work, known[schedule_id], definition, now)

    async def _evaluate(self, work: UnitOfWork, known: Known, definition: Definition, now: datetime) -> None:
        new = known.version == 0  # the row was made just now, or the schedule was deleted before
        evaluation = evaluate_due(None if new else known, definition, now, self._limits)
        recorded = await ScheduleStore(work.connection).save(definition=definition, evaluation=evaluation)
        if recorded is None:
            raise SavedMeanwhile
        requested = [fire for fire in evaluation.requested if fire.key in recorded]
        work.publish(*(_run_request(definition, fire, now) for fire in requested))
        if missed := [fire for fire in evaluation.missed if fire.key in recorded]:
            work.publish(_schedule_missed(definition, missed))
        work.after_commit(lambda: self._count(evaluation, now))

    def _count(self, evaluation: Evaluation, now: datetime) -> None:
        for item in evaluation.decided:
            metrics.FIRES.labels(item.outcome.value).inc()
            if item.outcome is Outcome.REQUESTED and now - item.fire.at <= self._limits.grace:
                metrics.LATENESS.observe((now - item.fire.at).total_seconds())


async def fire_forever(firing: Firing, *, poll: float, stopping: asyncio.Event) -> None:
    """Fire, then wait for the next fire, a hint or the poll. Raises Unavailable."""
    while not stopping.is_set():
        firing.wake.clear()
        seconds = await firing.seconds_to_next()
        if seconds is not None and seconds <= 0 and await firing.fire_due():
            continue
        sleep = poll if seconds is None else min(poll, max(seconds, SHORTEST_SLEEP_SECONDS))
        await wait_for_any(firing.wake, stopping, timeout=sleep)


def _run_request(definition: Definition, fire: Planned, now: datetime) -> RunRequested:
    return RunRequested(
        job_id=fire_job_id(definition.id, fire.key),
        project=definition.project,
        configuration=definition.orchestration,
        origin=Origin.SCHEDULE,
        requested_at=now,
        scheduled_for=fire.at,
        requested_by=f"schedule {definition.name}"[:200],
        overlap=definition.overlap,
        schedule_id=definition.id,
        fire_key=fire.key,
    )


def _schedule_missed(definition: Definition, missed: list[Planned]) -> ScheduleMissed:
    return ScheduleMissed(
        schedule_id=definition.id,
        project=definition.project,
        orchestration=definition.orchestration,
        count=len(missed),
        first=missed[0].at,
        last=missed[-1].at,
    )
