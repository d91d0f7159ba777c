"""Rows of deliveries: who holds them, and how each try ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from orchestrator_notifier.domain.facts import Reason
from orchestrator_shared.database.pool import acquire, transaction
from orchestrator_shared.database.queries import Queries

MAX_ERROR_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """One mail to be sent by this replica until `claimed_until`, which is also the proof of the claim."""

    id: UUID
    project: str
    orchestration: str
    event: str
    job_id: UUID | None
    recipient: str
    reason: Reason
    message_id: str
    detail: Mapping[str, Any]
    claimed_until: datetime
    attempts: int = 0
    age: float = 0


class DeliveryStore:
    """Every call is one short transaction; none spans a conversation with the SMTP server."""

    def __init__(self, pool: asyncpg.Pool, *, lease_seconds: float) -> None:
        self._pool = pool
        self._lease = lease_seconds
        self._queries = Queries.load("orchestrator_notifier.adapters", "deliveries.sql")

    async def claim(self, limit: int) -> list[ClaimedDelivery]:
        """Due deliveries, in the order to send them. One replica claims at a time: that keeps the order."""
        async with transaction(self._pool) as connection:
            await connection.execute(self._queries["lock_claims"])
            rows = await connection.fetch(self._queries["claim"], limit, self._lease)
        return [_claimed(row) for row in rows]

    async def begin(self, delivery: ClaimedDelivery) -> ClaimedDelivery | None:
        """Count the try and renew the claim; None if it was lost meanwhile."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(
                self._queries["begin"], delivery.id, delivery.claimed_until, self._lease
            )
        if row is None:
            return None
        return replace(delivery, claimed_until=row["claimed_until"], attempts=row["attempts"], age=row["age"])

    async def sent(self, delivery: ClaimedDelivery) -> None:
        """The server accepted it; recorded even if the claim was lost meanwhile."""
        await self._execute("sent", delivery.id)

    async def postpone(self, delivery: ClaimedDelivery, seconds: float, error: str) -> None:
        """Postpone it."""
        await self._execute("postpone", delivery.id, delivery.claimed_until, seconds, _storable(error))

    async def fail(self, delivery: ClaimedDelivery, error: str) -> None:
        """Never try again."""
        await self._execute("fail", delivery.id, delivery.claimed_until, _storable(error))

    async def release(self, deliveries: Sequence[ClaimedDelivery]) -> None:
        """Give back what was not tried."""
        claims = [delivery.claimed_until for delivery in deliveries]
        await self._execute("release", [delivery.id for delivery in deliveries], claims)

    async def pending(self) -> tuple[int, float]:
        """How many are not sent yet, and the age of the oldest in seconds."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(self._queries["pending"])
        return (row["count"], row["oldest"]) if row else (0, 0.0)

    async def _execute(self, query: str, *values: object) -> None:
        async with acquire(self._pool) as connection:
            await connection.execute(self._queries[query], *values)


def _storable(error: str) -> str:
    """Also with characters that no database takes: one such text would end the sending of all mails."""
    whole = error.encode(errors="replace").decode()
    return whole.replace("\0", "\N{SYMBOL FOR NULL}")[:MAX_ERROR_CHARACTERS]


def _claimed(row: asyncpg.Record) -> ClaimedDelivery:
    return ClaimedDelivery(
        id=row["id"],
        project=row["project"],
        orchestration=row["orchestration"],
        event=row["event"],
        job_id=row["job_id"],
        recipient=row["recipient"],
        reason=Reason(row["reason"]),
        message_id=row["message_id"],
        detail=row["detail"],
        claimed_until=row["claimed_until"],
    )
