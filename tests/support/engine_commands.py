"""The runner's queue of commands in a test's hands: at least once, late, in any order, in any batches."""

from collections.abc import Sequence
from uuid import UUID

from tests.support.engine_replica import Replica

from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.messaging.decoding import Delivery
from orchestrator_shared.runtime import failpoints


class CommandQueue:
    """A message is in line until a replica has acknowledged it; it may come again after that, too."""

    def __init__(self) -> None:
        self.line: list[Delivery] = []
        self.sent: list[Delivery] = []
        self.acked: set[UUID] = set()
        """Requests that a replica acknowledged."""
        self.stopped: set[UUID] = set()
        """Jobs whose stop a replica acknowledged."""

    def send(self, message: Message) -> None:
        delivery = Delivery(message, wrap(message, source="/api"), message.routing_key(), redelivered=False)
        self.line.append(delivery)
        self.sent.append(delivery)

    @property
    def requests(self) -> list[RunRequested]:
        """Every request that was ever sent."""
        return [each.message for each in self.sent if isinstance(each.message, RunRequested)]

    def draw(self, picks: Sequence[int], *, again: bool) -> list[Delivery]:
        """A batch of what is in line, or was ever sent; a pick may come twice."""
        source = self.sent if again else self.line
        return [source[pick % len(source)] for pick in picks] if source else []

    async def deliver(self, replica: Replica, batch: Sequence[Delivery]) -> list[UUID]:
        """Hand a batch to a replica; it is acknowledged unless the replica dies, or cannot say so."""
        if batch and await replica.act(self._handle(replica, batch)):
            for delivery in batch:
                self._acknowledge(delivery)
        return [each.message.job_id for each in batch if isinstance(each.message, RunRequested)]

    async def _handle(self, replica: Replica, batch: Sequence[Delivery]) -> None:
        await replica.commands(batch)
        failpoints.reach(failpoints.BEFORE_ACK)

    def _acknowledge(self, delivery: Delivery) -> None:
        if delivery in self.line:
            self.line.remove(delivery)
        match delivery.message:
            case RunRequested() as request:
                self.acked.add(request.job_id)
            case TerminateRequested() as stop if not stop.unstarted_only:
                self.stopped.add(stop.job_id)
