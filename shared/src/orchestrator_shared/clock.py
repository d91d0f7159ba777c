"""Where the present time comes from, so that tests can hold it still."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present time, always aware and in UTC. Leases never use it: they use the database's clock."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Move to the given instant."""
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move forward (or back, by a negative span)."""
        self._at += by


def stamp(at: datetime) -> str:
    """An instant as the api's answers have it: UTC is `Z`, also where a text is made by hand."""
    return at.isoformat().replace("+00:00", "Z")
