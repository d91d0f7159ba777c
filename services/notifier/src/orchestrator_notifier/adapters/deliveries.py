"""Rows of deliveries: which replica holds them, and how each try ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_notifier.domain.facts import Reason
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.logging import clean_text

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


@dataclass(frozen=True, slots=True)
class BegunTry:
    """The renewed claim of a delivery."""

    claimed_until: datetime
    attempts: int
    age: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many mails are not sent yet, and the age of the oldest in seconds."""

    count: int
    oldest: float


class DeliveryStore(Store):
    """Every call is one short transaction; none spans a conversation with the SMTP server."""

    queries = Queries.load(__package__, "deliveries.sql")

    async def claim(self, *, limit: int, lease_seconds: float) -> list[ClaimedDelivery]:
        """Due deliveries, in the order to send them. One replica claims at a time: that keeps the order."""
        async with self._connection.transaction():
            await self._run("lock_claims")
            return await self._many(ClaimedDelivery, "claim", limit=limit, lease_seconds=lease_seconds)

    async def begin(self, *, delivery: ClaimedDelivery, lease_seconds: float) -> ClaimedDelivery | None:
        """Count the try and renew the claim; None if it was lost meanwhile."""
        begun = await self._one(
            BegunTry,
            "begin",
            id=delivery.id,
            claimed_until=delivery.claimed_until,
            lease_seconds=lease_seconds,
        )
        if begun is None:
            return None
        return replace(delivery, claimed_until=begun.claimed_until, attempts=begun.attempts, age=begun.age)

    async def sent(self, *, delivery: ClaimedDelivery) -> None:
        """The server accepted it; recorded even if the claim was lost meanwhile."""
        await self._run("sent", id=delivery.id)

    async def postpone(self, *, delivery: ClaimedDelivery, seconds: float, error: str) -> None:
        """Try again later."""
        await self._run(
            "postpone",
            id=delivery.id,
            claimed_until=delivery.claimed_until,
            seconds=seconds,
            error=_storable(error),
        )

    async def fail(self, *, delivery: ClaimedDelivery, error: str) -> None:
        """Never try again."""
        await self._run("fail", id=delivery.id, claimed_until=delivery.claimed_until, error=_storable(error))

    async def release(self, *, deliveries: Sequence[ClaimedDelivery]) -> None:
        """Give back what was not tried."""
        await self._run(
            "release",
            ids=[delivery.id for delivery in deliveries],
            claims=[delivery.claimed_until for delivery in deliveries],
        )

    async def pending(self) -> Backlog:
        """What is not sent yet."""
        return await self._one(Backlog, "pending") or Backlog(0, 0.0)


def _storable(error: str) -> str:
    """Without characters that PostgreSQL refuses: one such text would stop the sending of all mails."""
    whole = clean_text(error).encode(errors="replace").decode()  # servers quote links that they refuse
    return whole.replace("\0", "\N{SYMBOL FOR NULL}")[:MAX_ERROR_CHARACTERS]
