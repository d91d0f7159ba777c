"""The present time, and how it is written."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present time, always aware and in UTC. Leases never use it: they use the database's clock."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """An instant as the api's answers have it: UTC is `Z`, also where a text is made by hand."""
    return at.isoformat().replace("+00:00", "Z")
