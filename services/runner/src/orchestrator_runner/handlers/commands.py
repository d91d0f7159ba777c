"""The runner's queue of commands: requests in batches, terminations one by one after them."""

from collections.abc import Sequence

from orchestrator_runner.handlers.accept import Accept
from orchestrator_runner.handlers.terminate import Terminate
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.messaging.consumer import Delivery


class Commands:
    """A `BatchHandler`."""

    def __init__(self, accept: Accept, terminate: Terminate) -> None:
        self._accept = accept
        self._terminate = terminate

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        requests = [delivery for delivery in deliveries if isinstance(delivery.message, RunRequested)]
        if requests:
            await self._accept(requests)
        for delivery in deliveries:
            if not isinstance(delivery.message, RunRequested):
                await self._terminate(delivery)
