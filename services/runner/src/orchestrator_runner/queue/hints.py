"""The runner's hints about what may be in the database now; losing one does no harm."""

from collections.abc import Callable, Mapping
from uuid import UUID

from orchestrator_runner.queue.ports import Wake
from orchestrator_shared.contracts.events import CallbackReceived, RunnersWake
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.messaging.consumer import Handler
from orchestrator_shared.messaging.decoding import Delivery


def hints(
    wake: Wake, callback_received: Callable[[UUID], None], *, own_id: UUID
) -> Mapping[type[Message], Handler]:
    """The handlers for these hints."""

    async def runners_wake(delivery: Delivery) -> None:
        assert isinstance(delivery.message, RunnersWake)
        # Our own hint: this replica has no free slot, so looking would cost two queries after each step.
        if delivery.message.replica_id != own_id:
            wake()

    async def on_callback(delivery: Delivery) -> None:
        assert isinstance(delivery.message, CallbackReceived)
        callback_received(delivery.message.job_id)

    return {RunnersWake: runners_wake, CallbackReceived: on_callback}
