"""The current time, and how it is written."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The current time, always aware and in UTC. Leases never use it: they use the database's clock."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """An instant in the API's format: UTC is written `Z`, also where a string is built by hand."""
    return at.isoformat().replace("+00:00", "Z")
