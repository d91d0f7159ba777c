"""Saying table updates under the id and source that their publisher chose."""

from uuid import UUID

from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.messaging.outbox import Work
from orchestrator_shared.messaging.publisher import Outgoing


def say_table_update(work: Work, update: TableUpdated, *, event_id: str, source: str) -> UUID:
    """The envelope's id and source make the update unique; the outbox row has an id of its own."""
    row_id = new_id()
    envelope = wrap(update, source=source).model_copy(update={"id": event_id})
    outgoing = Outgoing(
        id=str(row_id),
        exchange=update.exchange,
        routing_key=update.routing_key(),
        body=envelope.to_bytes(),
        mandatory=False,
        persistent=True,
    )
    work._said.rows.append(outgoing)
    return row_id
