"""What the database has of subscriptions and deliveries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_shared.domain.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    """Who is told of what about which orchestration."""

    orchestration: str
    event: str
    channel: str
    address: str
    percent: int | None
    minutes: int | None
    automatic: bool
    """Made with the orchestration, for its creator: nobody has asked for it yet."""

    @property
    def wish(self) -> Subscription:
        """What was asked for."""
        return Subscription(self.event, self.address, self.percent, self.minutes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that was or will be sent."""

    id: UUID
    fact_key: str
    orchestration: str
    event: str
    job_id: UUID | None
    channel: str
    recipient: str
    reason: str
    status: str
    attempts: int
    next_attempt_at: datetime
    message_id: str
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
