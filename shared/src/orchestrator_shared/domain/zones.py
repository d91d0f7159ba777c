"""Time zones by IANA name, and how a wall clock there relates to real time."""

import difflib
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from orchestrator_shared.domain.errors import UserError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}", re.ASCII)
_MACHINE_S_OWN = ("posix/", "right/", "localtime", "posixrules", "Factory")
_LOOK_AHEAD = timedelta(hours=3)
"""No zone changes its offset and changes back within this time."""


def parse_zone(name: object, *, field: str = "timezone") -> ZoneInfo:
    """The zone of a name; raises UserError with names that are like it."""
    if isinstance(name, str) and len(name) <= 64 and _NAME.fullmatch(name):
        if not name.startswith(_MACHINE_S_OWN):
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                pass
        near = difflib.get_close_matches(name, sorted(available_timezones()), n=2)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UserError(
            f"{name!r} is no time zone{hint or ': write an IANA name such as Europe/Prague'}", field=field
        )
    raise UserError("expected an IANA time zone such as Europe/Prague or UTC", field=field)


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """How far the zone's wall clock is ahead of UTC."""
    return instant.astimezone(zone).utcoffset() or timedelta()


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock shows, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def wall_offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets before and after a change if the wall time lies in one; otherwise twice the same.

    Before smaller than after: the wall time is in a gap. Before larger: it comes twice.
    """
    before = wall.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    after = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    return before, after


def find_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in (start, end] at which the zone's offset is another than at start."""
    offset, low = offset_at(start, zone), start
    while low < end:
        high = min(low + _LOOK_AHEAD, end)
        if offset_at(high, zone) != offset:
            return _bisect(low, high, offset, zone)
        low = high
    return None


def _bisect(low: datetime, high: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if offset_at(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def in_utc(wall: datetime, offset: timedelta) -> datetime:
    """The instant at which a clock with this offset shows the wall time."""
    return (wall - offset).replace(tzinfo=UTC)
