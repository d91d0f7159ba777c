"""Time zones by IANA name, and how a wall clock there relates to real time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zone_data import load_zone, zone_names
from orchestrator_shared.domain.zone_suggestions import advice

_SHOWN = 64
_LOOK_AHEAD = 3 * 3600
"""Seconds; no zone changes its offset and changes back within this time."""
LONGEST_SCAN = timedelta(days=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = 86_400


def parse_zone(name: object, *, field: str = "timezone") -> ZoneInfo:
    """The zone of a name; raises UserError with names that are like it."""
    if not isinstance(name, str) or not name.strip():
        raise UserError("expected an IANA time zone such as Europe/Prague or UTC", field=field)
    names = zone_names()
    if name not in names:
        shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
        raise UserError(f"{shown!r} is not a time zone{advice(name, names)}", field=field)
    return load_zone(name)


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
    """The first instant in (start, end] at which the zone's offset is another than at start.

    Counted in whole seconds, in which zones change: fractions of a second in `start` and `end` play no role.
    """
    assert end - start <= LONGEST_SCAN, "scanned near a fire only: each step costs a look into the zone"
    low, last = _epoch(start), _epoch(end)
    offset = _offset(low, zone)
    for high in (*range(low + _LOOK_AHEAD, last, _LOOK_AHEAD), last):
        if _offset(high, zone) != offset:
            return _EPOCH + _bisect(low, high, offset, zone) * _SECOND
        low = high
    return None


def changes(after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants of (after, until] at which the zone's clocks are turned, each after the one before.

    Looks once a day, for people to read: a change that is taken back within a day is not seen.
    """
    low, last = _epoch(after), _epoch(until)
    while low < last:
        high = min(low + _DAY, last)
        offset = _offset(low, zone)
        if _offset(high, zone) != offset:
            high = _bisect(low, high, offset, zone)
            yield _EPOCH + high * _SECOND
        low = high


def _bisect(low: int, high: int, offset: timedelta, zone: ZoneInfo) -> int:
    """The first second of (low, high] with another offset; the distance is halved until it is one second."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high


def _epoch(instant: datetime) -> int:
    return (instant - _EPOCH) // _SECOND


def _offset(epoch: int, zone: ZoneInfo) -> timedelta:
    return offset_at(_EPOCH + epoch * _SECOND, zone)


def in_utc(wall: datetime, offset: timedelta) -> datetime:
    """The instant at which a clock with this offset shows the wall time."""
    return (wall - offset).replace(tzinfo=UTC)
