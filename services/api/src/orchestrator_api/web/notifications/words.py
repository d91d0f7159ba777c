"""Events and deliveries in words. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator_api.notifications.rows import Delivery, StoredSubscription
from orchestrator_shared.domain.subscriptions import DEFAULT_MINUTES, DEFAULT_PERCENT

EVENTS: Mapping[str, tuple[str, str]] = {
    "error": ("Error", "a run failed"),
    "warning": ("Warning", "a run finished, but tasks that may fail did"),
    "success": ("Success", "a run finished"),
    "recovered": ("Recovered", "a run finished after one that failed"),
    "processing_long": ("Longer than usual", "a run takes longer than the last 20 successful ones"),
    "waiting_long": ("Waiting too long", "a run or one of its tasks has not started yet"),
    "schedule_missed": ("Schedule missed", "a fire was too late to catch up"),
}
OTHERS: Mapping[str, str] = {
    "test": "Test",
    "terminated": "Terminated",
    "cancelled": "Cancelled",
    "deadline_missed": "Deadline missed",
}
DELIVERED: Mapping[str, tuple[str, str]] = {
    "pending": ("Not yet sent", "waiting"),
    "sent": ("Sent", "success"),
    "failed": ("Given up", "error"),
}
"""How a delivery is called, and the status whose look it has."""


def event_label(event: str) -> str:
    """`Longer than usual`."""
    return EVENTS[event][0] if event in EVENTS else OTHERS.get(event, event.replace("_", " ").capitalize())


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One address and what it is notified of."""

    address: str
    events: Mapping[str, StoredSubscription]

    @property
    def labels(self) -> list[str]:
        """In the order of the form: `Error`, `Longer than usual (50 %)`."""
        return [_with_limit(self.events[event]) for event in EVENTS if event in self.events]

    @property
    def sentence(self) -> str:
        """In the order in which they were read: `Error, longer than usual (50 %)`."""
        return ", ".join(_with_limit(each) for each in self.events.values()).capitalize()

    @property
    def percent(self) -> int:
        found = self.events.get("processing_long")
        return (found and found.percent) or DEFAULT_PERCENT

    @property
    def minutes(self) -> int:
        found = self.events.get("waiting_long")
        return (found and found.minutes) or DEFAULT_MINUTES


def subscribers(found: Iterable[StoredSubscription]) -> list[Subscriber]:
    """Each address once, in their order."""
    events: dict[str, dict[str, StoredSubscription]] = {}
    for each in found:
        events.setdefault(each.address, {})[each.event] = each
    return [Subscriber(address, by_event) for address, by_event in events.items()]


def _with_limit(each: StoredSubscription) -> str:
    label = event_label(each.event)
    if each.percent is not None:
        return f"{label} ({each.percent} %)"
    return f"{label} ({each.minutes} min)" if each.minutes is not None else label


def because(delivery: Delivery) -> str:
    """Why this person got the mail."""
    return "started the run" if delivery.reason == "starter" else "is subscribed"
