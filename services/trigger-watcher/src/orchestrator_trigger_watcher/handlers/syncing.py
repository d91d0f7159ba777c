"""Following the catalog: a trigger that was saved, switched, reset or deleted."""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.tables import TableRef
from orchestrator_shared.messaging.outbox import Work
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.catalog_store import CatalogStore
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.domain.decisions import Saved
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.domain.states import Definition, TriggerState
from orchestrator_trigger_watcher.handlers.recording import record
from orchestrator_trigger_watcher.ports import Transactions

TRIES = 10


class Syncing:
    """Brings one trigger up to what the catalog says; knowing it already, it does nothing."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        catalog: CatalogStore,
        updates: UpdateStore,
        triggers: TriggerStore,
    ) -> None:
        self._transactions = transactions
        self._catalog = catalog
        self._updates = updates
        self._triggers = triggers

    async def sync(self, trigger_id: TriggerId) -> None:
        for _ in range(TRIES):
            async with self._transactions.work() as work:
                if await self._sync(work, trigger_id):
                    return
        raise Unavailable(f"trigger {trigger_id} was saved again and again while it was read")

    async def _sync(self, work: Work, trigger_id: TriggerId) -> bool:
        """False if the selected tables changed before they were locked: begin anew, in the right order."""
        wanted = await self._catalog.definition(work.connection, trigger_id)
        tables = frozenset[TableRef]() if wanted is None else wanted.counted_tables
        heard = await self._updates.lock_tables(work.connection, tables) if tables else {}
        if wanted is not None and not wanted.deleted:
            await self._triggers.insert(work.connection, wanted)
        locked = await self._triggers.lock(work.connection, trigger_id)
        definition = await self._catalog.definition(work.connection, trigger_id)
        if definition is not None and not definition.counted_tables <= heard.keys():
            return False
        if locked:
            await self._apply(work, trigger_id, definition, heard)
        return True

    async def _apply(
        self,
        work: Work,
        trigger_id: TriggerId,
        definition: Definition | None,
        heard: Mapping[TableRef, int],
    ) -> None:
        (state,) = await self._triggers.load(work.connection, [trigger_id])
        definition = definition or _gone(state)
        if not _differs(state, definition):
            return
        ledger = Ledger([state])
        runs = await self._triggers.read_runs(work.connection, [trigger_id])
        ledger.apply(trigger_id, runs[trigger_id])
        ledger.apply(trigger_id, Saved(definition, heard))
        await record(work, self._triggers, ledger)
        await self._triggers.record_edit(work.connection, ledger.states[trigger_id])
        work.after_commit(metrics.SYNCED.inc)


def _differs(state: TriggerState, definition: Definition) -> bool:
    if state.deleted and definition.deleted:
        return False
    known = (state.version, state.reset_count, state.enabled, state.deleted, frozenset(state.counts))
    saved = (
        definition.version,
        definition.reset_count,
        definition.enabled,
        definition.deleted,
        definition.counted_tables,
    )
    return known != saved


def _gone(state: TriggerState) -> Definition:
    """The catalog has no row of it any more."""
    return replace(_as_saved(state), deleted=True)


def _as_saved(state: TriggerState) -> Definition:
    return Definition(
        id=state.id,
        project=state.project,
        orchestration=state.orchestration,
        name=state.name,
        version=state.version,
        reset_count=state.reset_count,
        enabled=state.enabled,
        cool_down=state.cool_down,
        mode=state.mode,
        deleted=state.deleted,
        tables=frozenset(state.counts),
    )
