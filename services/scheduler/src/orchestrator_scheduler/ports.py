"""What the handlers need from outside."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from orchestrator_shared.messaging.outbox import Work


class Transactions(Protocol):
    """Opens transactions whose messages are committed with them; the outbox is one."""

    def work(self) -> AbstractAsyncContextManager[Work]: ...
