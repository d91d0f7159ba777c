"""Who is notified of what, by address, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator_api.notifications.rows import StoredSubscription

EVENTS = {
    "error": "error",
    "warning": "warning",
    "success": "success",
    "recovered": "recovered",
    "processing_long": "longer than usual",
    "waiting_long": "waiting too long",
    "schedule_missed": "schedule missed",
    "deadline_missed": "deadline missed",
}


@dataclass(frozen=True, slots=True)
class Notified:
    """One address and its events."""

    icon: str
    address: str
    events: str


def notified(subscriptions: Iterable[StoredSubscription]) -> list[Notified]:
    """The addresses in their order, each once."""
    events: dict[tuple[str, str], list[str]] = {}
    for each in subscriptions:
        events.setdefault((each.channel, each.address), []).append(_event(each))
    return [
        Notified("mail" if channel == "email" else "webhook", address, ", ".join(found).capitalize())
        for (channel, address), found in events.items()
    ]


def _event(subscription: StoredSubscription) -> str:
    said = EVENTS.get(subscription.event, subscription.event.replace("_", " "))
    if subscription.percent is not None:
        return f"{said} ({subscription.percent} %)"
    return f"{said} ({subscription.minutes} min)" if subscription.minutes is not None else said
