"""The runner's queue of commands: requests in batches, terminations one by one after them."""

from collections.abc import Sequence

from orchestrator_runner.queue.accept import Accept
from orchestrator_runner.queue.terminate import Terminate
from orchestrator_shared.contracts.commands import BackfillRequested, RunRequested, TerminateRequested
from orchestrator_shared.messaging.consumer import Delivery


class Commands:
    """A `BatchHandler`."""

    def __init__(self, accept: Accept, terminate: Terminate) -> None:
        self._accept = accept
        self._terminate = terminate

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        requests: list[RunRequested] = []
        terminations: list[TerminateRequested] = []
        for delivery in deliveries:
            match delivery.message:
                case RunRequested() as request:
                    requests.append(request)
                case BackfillRequested() as backfill:
                    requests += backfill.requests()
                case TerminateRequested() as termination:
                    terminations.append(termination)
        if requests:
            await self._accept(requests)
        for termination in terminations:
            await self._terminate(termination)
