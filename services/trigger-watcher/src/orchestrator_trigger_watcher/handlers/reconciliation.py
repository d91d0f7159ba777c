"""Applies starts and ends of runs, and saved triggers; messages about them are only hints."""

from collections.abc import Sequence

from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.messaging.outbox import UnitOfWork, UnitsOfWork
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.domain.decisions import Saved
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.handlers.announcing import announce
from orchestrator_trigger_watcher.handlers.recording import record


class Reconciliation:
    """Brings triggers up to date with the database, in its order of events, and fires what was deferred."""

    def __init__(self, *, outbox: UnitsOfWork) -> None:
        self._outbox = outbox

    async def reconcile_runs(self, project: str, orchestration: str) -> None:
        """All triggers of an orchestration."""
        async with self._outbox.work() as work:
            locked = await TriggerStore(work.connection).lock_of_orchestration(
                project=project, orchestration=orchestration
            )
            await self._reconcile(work, locked)

    async def sync(self, trigger_id: TriggerId) -> None:
        """One trigger."""
        async with self._outbox.work() as work:
            locked = await TriggerStore(work.connection).lock(trigger_id=trigger_id)
            await self._reconcile(work, locked)

    async def _reconcile(self, work: UnitOfWork, locked: Sequence[TriggerId]) -> None:
        if not locked:
            return
        now = await UpdateStore(work.connection).now()
        ledger = await catch_up(work, locked)
        ledger.pass_time(now)
        await record(work, ledger)
        announce(work, ledger.judged())


async def catch_up(work: UnitOfWork, locked: Sequence[TriggerId]) -> Ledger:
    """The states of locked triggers after all that happened before they were locked."""
    triggers = TriggerStore(work.connection)
    past = await triggers.read_past(trigger_ids=locked)
    ledger = Ledger(await triggers.load(trigger_ids=locked))
    ledger.replay(past)
    saved = [event for events in past.values() for event in events if isinstance(event, Saved)]
    changed = {event.definition.id for event in saved}
    await triggers.mark_judged(saved=saved, states=[ledger.states[trigger_id] for trigger_id in changed])
    work.after_commit(lambda: metrics.SYNCED.inc(len(saved)))
    return ledger
