"""Taking note of what became of runs; the messages about them are only hints to look."""

from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.adapters.update_store import UpdateStore
from orchestrator_trigger_watcher.domain.decisions import TimePassed
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.handlers.recording import record
from orchestrator_trigger_watcher.ports import Transactions


class Settling:
    """Brings an orchestration's triggers up to the truth about its runs, and fires what was deferred."""

    def __init__(self, *, transactions: Transactions, updates: UpdateStore, triggers: TriggerStore) -> None:
        self._transactions = transactions
        self._updates = updates
        self._triggers = triggers

    async def settle(self, project: str, orchestration: str) -> None:
        async with self._transactions.work() as work:
            connection = work.connection
            locked = await self._triggers.lock_of_orchestration(connection, project, orchestration)
            if not locked:
                return
            ledger = Ledger(await self._triggers.load(connection, locked))
            runs = await self._triggers.read_runs(connection, locked)
            now = await self._updates.now(connection)
            for trigger_id in locked:
                ledger.apply(trigger_id, runs[trigger_id])
                ledger.apply(trigger_id, TimePassed(now))
            await record(work, self._triggers, ledger)
