"""What can be subscribed to, and when a run is late: one set of rules for all."""

from dataclasses import dataclass

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import NotificationEvent

DEFAULT_PERCENT, MAX_PERCENT = 20, 10_000
DEFAULT_MINUTES, MAX_MINUTES = 30, 43_200

NOT_MADE_YET = {
    NotificationEvent.DEADLINE_MISSED: "deadline_missed does not exist yet: triggers have no deadlines"
}
"""Events that nothing produces, and the message to those who subscribe to them."""
SUBSCRIBABLE = tuple(event for event in NotificationEvent if event not in NOT_MADE_YET)


@dataclass(frozen=True, slots=True, order=True)
class Subscription:
    """Who is notified of what."""

    event: str
    address: str
    percent: int | None = None
    """Of processing_long: how much longer than usual."""
    minutes: int | None = None
    """Of waiting_long: how long."""

    @staticmethod
    def checked(
        event: str, address: str, percent: int | None = None, minutes: int | None = None
    ) -> "Subscription":
        """With the defaults written out; raises UserError naming the field."""
        check_event(event)
        is_processing = event == NotificationEvent.PROCESSING_LONG
        is_waiting = event == NotificationEvent.WAITING_LONG
        _check_number("percent", percent, MAX_PERCENT, NotificationEvent.PROCESSING_LONG, fits=is_processing)
        _check_number("minutes", minutes, MAX_MINUTES, NotificationEvent.WAITING_LONG, fits=is_waiting)
        return Subscription(
            event,
            address,
            (percent if percent is not None else DEFAULT_PERCENT) if is_processing else None,
            (minutes if minutes is not None else DEFAULT_MINUTES) if is_waiting else None,
        )


def check_event(event: object) -> None:
    """Refuse what no one can subscribe to."""
    for unmade, reason in NOT_MADE_YET.items():
        if event == unmade:
            raise UserError(reason, field="event")
    if event not in SUBSCRIBABLE:
        raise UserError(f"unknown event; known are {', '.join(SUBSCRIBABLE)}", field="event")


def _check_number(name: str, value: int | None, most: int, event: str, *, fits: bool) -> None:
    if value is not None and not fits:
        raise UserError(f"{name} belongs to the event {event} only", field=name)
    if value is not None and not 1 <= value <= most:
        raise UserError(f"must be from 1 to {most}", field=name)
