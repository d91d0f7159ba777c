"""What the handlers need from outside."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import asyncpg

from orchestrator_shared.messaging.outbox import Work


class Transactions(Protocol):
    """Opens transactions whose messages are committed with them; the outbox is one."""

    def work(self) -> AbstractAsyncContextManager[Work]: ...


Connections = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
"""Opens a connection without a transaction: for reading, and for single statements that say nothing."""
