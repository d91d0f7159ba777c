"""Callbacks in the database."""

from uuid import UUID

from orchestrator_api.operations.rows import CallbackTarget
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class CallbackStore(Store):
    """Stores callbacks; the runner decides which attempts may receive them."""

    queries = Queries.load(__package__, "store.sql")

    async def is_awaited(self, *, token_hash: bytes) -> bool:
        """Whether an attempt waits for callbacks with this token, or has waited for them."""
        return await self._value(bool, "callback_is_awaited", token_hash=token_hash) is True

    async def is_known(self, *, token_hash: bytes, body_hash: bytes) -> bool:
        """Whether this very callback is stored."""
        known = await self._value(bool, "callback_is_known", token_hash=token_hash, body_hash=body_hash)
        return known is True

    async def target(self, *, token_hash: bytes) -> CallbackTarget | None:
        """The attempt in progress that waits for callbacks with this token."""
        return await self._one(CallbackTarget, "callback_target", token_hash=token_hash)

    async def count(self, *, token_hash: bytes) -> int:
        """How many callbacks are stored."""
        return await self._value(int, "count_callbacks", token_hash=token_hash) or 0

    async def insert(
        self, *, token_hash: bytes, body_hash: bytes, job_id: UUID, attempt: int, body: bytes
    ) -> None:
        """Store a callback."""
        await self._run(
            "insert_callback",
            token_hash=token_hash,
            body_hash=body_hash,
            job_id=job_id,
            attempt=attempt,
            body=body,
        )
