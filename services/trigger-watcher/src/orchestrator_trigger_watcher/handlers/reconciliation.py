"""Applying what became of runs and what was saved; the messages about it are only hints to look."""

from collections.abc import Sequence

from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.messaging.outbox import UnitOfWork, UnitsOfWork
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.domain.decisions import Saved
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.handlers.recording import record


class Reconciliation:
    """Brings triggers up to date with the database, in its order of events, and fires what was deferred."""

    def __init__(self, *, outbox: UnitsOfWork, updates: UpdateStore, triggers: TriggerStore) -> None:
        self._outbox = outbox
        self._updates = updates
        self._triggers = triggers

    async def reconcile_runs(self, project: str, orchestration: str) -> None:
        """All triggers of an orchestration."""
        async with self._outbox.work() as work:
            locked = await self._triggers.lock_of_orchestration(work.connection, project, orchestration)
            await self._reconcile(work, locked)

    async def sync(self, trigger_id: TriggerId) -> None:
        """One trigger."""
        async with self._outbox.work() as work:
            locked = await self._triggers.lock(work.connection, trigger_id)
            await self._reconcile(work, locked)

    async def _reconcile(self, work: UnitOfWork, locked: Sequence[TriggerId]) -> None:
        if not locked:
            return
        now = await self._updates.now(work.connection)
        ledger = await catch_up(work, self._triggers, locked)
        ledger.pass_time(now)
        await record(work, self._triggers, ledger)


async def catch_up(work: UnitOfWork, triggers: TriggerStore, locked: Sequence[TriggerId]) -> Ledger:
    """The states of locked triggers after all that happened before they were locked."""
    past = await triggers.read_past(work.connection, locked)
    ledger = Ledger(await triggers.load(work.connection, locked))
    ledger.replay(past)
    saved = [event for events in past.values() for event in events if isinstance(event, Saved)]
    changed = {event.definition.id for event in saved}
    await triggers.mark_judged(work.connection, saved, [ledger.states[trigger_id] for trigger_id in changed])
    work.after_commit(lambda: metrics.SYNCED.inc(len(saved)))
    return ledger
