"""Words that several sentences about jobs share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_SMALL = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, slots=True)
class Times:
    """Writes instants in the reader's zone."""

    now: datetime
    zone: ZoneInfo

    def at(self, instant: datetime) -> str:
        """`07:31`, or `Thu 26 Nov 07:31` on another day."""
        local, today = instant.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        year = f" {local.year}" if local.year != today.year else ""
        return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"

    def zoned(self, instant: datetime) -> str:
        """The same with the zone: `07:31 UTC`, `08:31 Prague`."""
        return f"{self.at(instant)} {self.zone.key.rpartition('/')[2].replace('_', ' ')}"

    def about(self, instant: datetime) -> str:
        """An instant that is only expected: `about 07:31 UTC`, or `now`."""
        if (instant - self.now).total_seconds() < 30:
            return "now"
        return f"about {self.zoned(instant)}"


def ordinal(number: int) -> str:
    """`third`; from eleven on `11th`."""
    if number <= len(_SMALL):
        return _SMALL[number - 1]
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{suffix}"


def of_line(place: int, length: int) -> str:
    """`third of 3`; the only one is `next`."""
    return "next" if length <= 1 else f"{ordinal(place)} of {length}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def capitalized(sentence: str) -> str:
    """Only the first letter changes: names keep theirs."""
    return sentence[:1].upper() + sentence[1:]
