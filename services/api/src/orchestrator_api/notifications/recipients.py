"""Who will be notified of a run, and why: what the notifier will decide, told before the run. Pure.

A test holds this against the notifier's own rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from orchestrator_shared.domain.statuses import JobStatus, NotificationEvent
from orchestrator_shared.domain.subscriptions import SUBSCRIBABLE, Subscription

RunOrigin = Literal["manual", "unattended"]
ENDS = (
    NotificationEvent.ERROR.value,
    NotificationEvent.WARNING.value,
    NotificationEvent.SUCCESS.value,
    JobStatus.TERMINATED.value,
    JobStatus.CANCELLED.value,
)
"""How a run can end, as mails name it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone who is notified of an event."""

    address: str
    reason: Literal["starter", "subscription"]
    because: str


@dataclass(frozen=True, slots=True)
class EventRecipients:
    """Who is notified of an event."""

    event: str
    recipients: list[Recipient]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is notified of what, and the rule behind it."""

    origin: RunOrigin
    explanation: str
    events: list[EventRecipients]


def recipients_of_manual_run(starter: str | None) -> Recipients:
    """Only the person who starts it, of its end; None if it is not known who that will be."""
    told = [] if starter is None else [Recipient(starter, "starter", "starts the run by hand")]
    return Recipients(
        "manual",
        "a run that a person starts by hand notifies only that person, once, of its end, unless they "
        "decline it; subscriptions do not count",
        [EventRecipients(event, told) for event in ENDS],
    )


def recipients_of_unattended_run(subscriptions: Iterable[Subscription]) -> Recipients:
    """The subscribers of each event."""
    by_event: dict[str, dict[str, Recipient]] = {event.value: {} for event in SUBSCRIBABLE}
    for each in sorted(subscriptions):
        if each.event in by_event:  # each address once, ignoring case, as the notifier does
            recipient = Recipient(each.address, "subscription", _because(each))
            by_event[each.event].setdefault(each.address.lower(), recipient)
    return Recipients(
        "unattended",
        "a run that a schedule, a trigger or a token without a person starts notifies the subscribers; "
        "whoever is subscribed to success and recovered gets one mail when it recovers",
        [EventRecipients(event, list(told.values())) for event, told in by_event.items()],
    )


def _because(each: Subscription) -> str:
    limit = ""
    if each.percent is not None:
        limit = f", when it takes {each.percent} % longer than usual"
    if each.minutes is not None:
        limit = f", when it waits longer than {each.minutes} minutes"
    return f"is subscribed to {each.event}{limit}"
