"""Subscriptions and deliveries."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from orchestrator_api.http.models import Editable, Input, Output, example
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.mail_addresses import LENGTHS, MAX_CHARACTERS, PATTERN, check_mail_address
from orchestrator_shared.domain.statuses import NotificationEvent
from orchestrator_shared.domain.subscriptions import (
    DEFAULT_MINUTES,
    DEFAULT_PERCENT,
    MAX_MINUTES,
    MAX_PERCENT,
    NOT_MADE_YET,
    Subscription,
)


def _refuse_unsupported(event: Any) -> Any:
    if isinstance(event, str) and event in NOT_MADE_YET:
        raise ValueError(NOT_MADE_YET[NotificationEvent(event)])
    return event


Event = Annotated[
    Literal[
        "error",
        "warning",
        "success",
        "processing_long",
        "waiting_long",
        "schedule_missed",
        "recovered",
    ],
    BeforeValidator(_refuse_unsupported),
]


def _only_of(event: str, limit: str) -> dict[str, Any]:
    """For the API description: the limit is allowed only with this event."""
    of_event = {"properties": {"event": {"const": event}}}
    return {"anyOf": [of_event, {"properties": {limit: {"type": "null"}}}]}


class SubscriptionIn(Input):
    """Who is notified of which event."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [_only_of("processing_long", "percent"), _only_of("waiting_long", "minutes")]
        }
    )

    event: Event
    address: str = Field(
        max_length=MAX_CHARACTERS,
        pattern=PATTERN,
        examples=["data-team@example.com"],
        json_schema_extra={"format": "email", "allOf": [{"pattern": LENGTHS}]},
    )
    percent: int | None = Field(
        default=None,
        ge=1,
        le=MAX_PERCENT,
        description="Only for processing_long: notify when a run takes this many percent longer than the "
        f"mean of the last 20 successful full runs; {DEFAULT_PERCENT} by default.",
    )
    minutes: int | None = Field(
        default=None,
        ge=1,
        le=MAX_MINUTES,
        description=f"Only for waiting_long: notify when a job waits longer; {DEFAULT_MINUTES} by default.",
    )

    @model_validator(mode="after")
    def _fits_its_event(self) -> "SubscriptionIn":
        try:
            check_mail_address(self.address)
            self.subscription()
        except UserError as error:
            raise ValueError(error.detail) from error
        return self

    def subscription(self) -> Subscription:
        """The subscription with its defaults filled in."""
        return Subscription.checked(self.event, self.address, self.percent, self.minutes)


class SubscriptionsIn(Input):
    """All subscriptions of an orchestration; those that are not listed are deleted."""

    model_config = example(
        {
            "subscriptions": [
                {"event": "error", "address": "data-team@example.com"},
                {"event": "processing_long", "address": "data-team@example.com", "percent": 50},
            ]
        }
    )

    subscriptions: list[SubscriptionIn] = Field(max_length=1000)

    @model_validator(mode="after")
    def _is_listed_once(self) -> "SubscriptionsIn":
        wanted = {each.subscription() for each in self.subscriptions}
        if len(wanted) > len({(each.event, each.address) for each in wanted}):
            raise ValueError(
                "an address is listed twice for one event with different limits: keep one of them"
            )
        return self


class SubscriptionOut(Output):
    """Who is notified of which event."""

    event: str
    channel: str
    address: str
    percent: int | None = Field(description="Only for processing_long: how much longer than usual.")
    minutes: int | None = Field(description="Only for waiting_long: how long a wait is too long.")


class SubscriptionsOut(Editable):
    """All subscriptions of an orchestration."""

    subscriptions: list[SubscriptionOut]


class TestDeliveryIn(Input):
    """Where to send a test mail."""

    __test__ = False
    model_config = example({"address": "data-team@example.com"})

    address: str = Field(
        max_length=MAX_CHARACTERS,
        pattern=PATTERN,
        description="One of the addresses that are subscribed to the orchestration.",
        json_schema_extra={"format": "email", "allOf": [{"pattern": LENGTHS}]},
    )


class TestDeliveryOut(Output):
    """A test mail that will be sent."""

    __test__ = False

    fact_key: str = Field(
        examples=["test-mail:0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41"],
        description="By which it is found among the deliveries; its event is `test`.",
    )
    address: str


class RecipientOut(Output):
    """Someone who is notified of an event, and why."""

    address: str
    reason: Literal["starter", "subscription"]
    because: str


class EventRecipientsOut(Output):
    """Who is notified of an event; an empty list means no one."""

    event: str
    recipients: list[RecipientOut]


class RecipientsOut(Output):
    """Who will be notified of a run."""

    origin: Literal["manual", "unattended"]
    explanation: str = Field(description="The rule in one sentence.")
    events: list[EventRecipientsOut]


class DeliveryOut(Output):
    """One mail that was or will be sent."""

    id: UUID
    fact_key: str
    orchestration: str
    event: str = Field(description="The event that it reports, such as `error`.")
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
