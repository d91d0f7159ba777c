"""Interfaces that the features need and the wiring provides."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from orchestrator_shared.messaging.outbox import UnitOfWork


class UnitsOfWork(Protocol):
    """Opens transactions that commit together with the messages they publish."""

    def work(self) -> AbstractAsyncContextManager[UnitOfWork]: ...
