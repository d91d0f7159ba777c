"""Times, durations and numbers as people say them; `static/js/time.js` says the same."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86400
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(seconds: float) -> str:
    """Two units at most: `0.4 s`, `41 s`, `6 min 53 s`, `1 h 37 min`, `3 days`."""
    if seconds < 10:
        tenths = round(max(seconds, 0), 1)
        return f"{tenths:g} s" if tenths < 10 else "10 s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two(whole // MINUTE, "min", whole % MINUTE, "s")
    if whole < DAY:
        return _two(whole // HOUR, "h", whole % HOUR // MINUTE, "min")
    return counted(whole // DAY, "day")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"


def passed(seconds: float) -> str:
    """How long ago or from now, without seconds from a minute on: `14 s`, `26 min`, `22 h 16 min`."""
    if seconds < MINUTE:
        return f"{int(max(seconds, 0))} s"
    return duration(int(seconds) // MINUTE * MINUTE)


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 run`, `1,204 runs`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """With a capital and a full stop, as pages say what the API writes without them.

    What is one word, ends in markup or begins with what a machine reads stays as it is there.
    """
    text = text.strip()
    first = text.partition(" ")[0]
    if first == text:
        return text
    if first.rstrip(",;:").isalpha():
        text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!…:>" else text + "."


def number(count: int) -> str:
    """With commas between thousands."""
    return f"{count:,}"


def relative(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`26 min ago` and `in 22 h 16 min` up to a day; then the day: `Thu 26 Nov 06:51`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) >= DAY:
        return day_and_time(at, now, zone)
    if abs(seconds) < 1:
        return "just now"
    return f"{passed(seconds)} ago" if seconds >= 0 else f"in {passed(-seconds)}"


def day_and_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`Thu 26 Nov 06:51`; today `06:51`, within six days ahead `Tue 05:30`, other years with the year."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    clock = f"{local:%H:%M}"
    if local.date() == today.date():
        return clock
    day = _DAYS[local.weekday()]
    if timedelta() < local.date() - today.date() <= timedelta(days=6):
        return f"{day} {clock}"
    date = f"{day} {local.day} {_MONTHS[local.month - 1]}"
    return f"{date} {clock}" if local.year == today.year else f"{date} {local.year} {clock}"


def day(at: datetime, *, with_year: bool) -> str:
    """`Tue 1 Dec 2026` of a local time."""
    year = f" {at.year}" if with_year else ""
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}{year}"


def utc(at: datetime) -> str:
    """For `title`, where a time is shown in another zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def zone_name(zone: ZoneInfo) -> str:
    """`Prague` for Europe/Prague."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def initials(name: str) -> str:
    """Of a person: `JN` for Jana Nováková, `E` for eva@example.com."""
    words = [word for word in name.partition("@")[0].replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
