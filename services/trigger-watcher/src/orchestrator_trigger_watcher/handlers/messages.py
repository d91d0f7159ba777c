"""One short function per message."""

from collections.abc import Mapping, Sequence

from orchestrator_shared.contracts.events import RunFinished, RunStarted, TableUpdated, TriggerChanged
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.tables import TableName, TableRef
from orchestrator_shared.messaging.consumer import Delivery, Handler
from orchestrator_trigger_watcher.adapters.update_store import Update
from orchestrator_trigger_watcher.handlers.ingestion import Ingestion
from orchestrator_trigger_watcher.handlers.reconciliation import Reconciliation

MAX_ROWS = 2**63 - 1


class MessageHandlers:
    """What the consumers call."""

    def __init__(self, *, ingestion: Ingestion, reconciliation: Reconciliation) -> None:
        self._ingestion = ingestion
        self._reconciliation = reconciliation

    async def tables_updated(self, deliveries: Sequence[Delivery]) -> None:
        await self._ingestion.ingest([read_update(delivery) for delivery in deliveries])

    async def run_changed(self, delivery: Delivery) -> None:
        message = delivery.message
        assert isinstance(message, RunStarted | RunFinished)
        await self._reconciliation.reconcile_runs(message.project, message.configuration)

    async def trigger_changed(self, delivery: Delivery) -> None:
        message = delivery.message
        assert isinstance(message, TriggerChanged)
        await self._reconciliation.sync(TriggerId(message.trigger_id))

    def by_message(self) -> Mapping[type[Message], Handler]:
        return {
            RunStarted: self.run_changed,
            RunFinished: self.run_changed,
            TriggerChanged: self.trigger_changed,
        }


def read_update(delivery: Delivery) -> Update:
    """An update as it can be stored; raises MessageFault for what the database would refuse."""
    message, envelope = delivery.message, delivery.envelope
    assert isinstance(message, TableUpdated)
    for attribute, text in (("id", envelope.id), ("source", envelope.source)):
        if not text.isprintable():
            raise MessageFault(f"{attribute}: control characters are not allowed")
    if message.rows is not None and message.rows > MAX_ROWS:
        raise MessageFault(f"data.rows: at most {MAX_ROWS}")
    return Update(
        table=TableRef(message.project, TableName.parse(message.table)),
        source=envelope.source,
        event_id=envelope.id,
        said_at=envelope.time,
        rows=message.rows,
        job_id=message.job_id,
        chain_length=message.chain_length,
    )
