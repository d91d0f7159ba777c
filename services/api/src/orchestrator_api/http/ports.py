"""What the handlers need from outside."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from orchestrator_shared.messaging.outbox import UnitOfWork


class UnitsOfWork(Protocol):
    """Opens transactions that commit together with the messages they publish."""

    def work(self) -> AbstractAsyncContextManager[UnitOfWork]: ...
