"""Rows of subscriptions and deliveries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_shared.domain.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    """Who is notified of which event of which orchestration."""

    orchestration: str
    event: str
    channel: str
    address: str
    percent: int | None
    minutes: int | None
    automatic: bool
    """Created together with the orchestration, for its creator; not configured by anyone."""

    @property
    def subscription(self) -> Subscription:
        """The subscription as it was requested."""
        return Subscription(self.event, self.address, self.percent, self.minutes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that was sent or will be sent."""

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


@dataclass(frozen=True, slots=True)
class RecentTests:
    """Test mails that were requested in the last hour."""

    count: int
    seconds_left: float
    """Until the oldest of them is older than that."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list, and where to begin; None means no restriction."""

    orchestration: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: datetime | None = None
    before_id: UUID | None = None
    limit: int = 100
    status: str | None = None
    """`pending` or `failed`: what was sent is what most are, and cannot be asked for."""
