"""The runner's command queue: requests are handled in batches, then terminations one by one."""

from collections.abc import Sequence
from typing import assert_never, cast, get_args

from orchestrator_runner.queue.accept import Accept
from orchestrator_runner.queue.terminate import Terminate
from orchestrator_shared.contracts.commands import BackfillRequested, RunRequested, TerminateRequested
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.messaging.consumer import Delivery

Command = RunRequested | BackfillRequested | TerminateRequested
COMMANDS: tuple[type[Message], ...] = get_args(Command)


class Commands:
    """A `BatchHandler` for every `Command`."""

    def __init__(self, accept: Accept, terminate: Terminate) -> None:
        self._accept = accept
        self._terminate = terminate

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        requests: list[RunRequested] = []
        terminations: list[TerminateRequested] = []
        for delivery in deliveries:
            command = cast(Command, delivery.message)
            match command:
                case RunRequested() as request:
                    requests.append(request)
                case BackfillRequested() as backfill:
                    requests += backfill.requests()
                case TerminateRequested() as termination:
                    terminations.append(termination)
                case _ as unknown:
                    assert_never(unknown)
        if requests:
            await self._accept(requests)
        for termination in terminations:
            await self._terminate(termination)
