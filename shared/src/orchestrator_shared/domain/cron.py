"""When a schedule fires: cron expressions and intervals in a time zone, across daylight saving."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError

from orchestrator_shared.domain.cron_syntax import CronError, Field, parse_fields
from orchestrator_shared.domain.cron_warnings import warning_of
from orchestrator_shared.domain.durations import format_duration, parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import (
    find_change,
    in_utc,
    offset_at,
    parse_zone,
    wall_offsets,
    wall_time,
)

__all__ = ["Cron", "CronError", "Every", "Fire", "Schedule", "parse_duration", "parse_zone"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFERENCE = datetime(2026, 1, 1)  # noqa: DTZ001  a wall time; fixed, so that saving never depends on the day
_SEARCH_YEARS = 40  # 29 February on a Monday needs up to 40 years around 2100
_LONGEST_WAIT = timedelta(days=366 * _SEARCH_YEARS)
"""Between two fires; a schedule all of whose times are skipped by daylight saving ends."""
_NEAR = timedelta(days=2)
_SECOND = timedelta(seconds=1)
_LAST_YEAR = 9000
MIN_EVERY_SECONDS, MAX_EVERY_SECONDS = 60, 366 * 86_400


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire of a schedule."""

    at: datetime
    """The instant, in UTC."""
    key: str
    """Unique within the schedule: the wall time for a fixed hour, else the UTC instant."""
    local: datetime
    """The instant in the schedule's zone."""
    moved: bool = False
    """Its wall time does not exist on that day: it fires at the first instant after the gap."""
    repeated: bool = False
    """Its wall time comes twice on that day."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that was accepted."""

    text: str
    fields: tuple[Field, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str, *, field: str | None = None) -> "Cron":
        """Accept an expression or raise CronError (a UserError) with the reason and position."""
        if not isinstance(text, str):
            raise CronError('expected five fields in quotes, as in "30 5 * * 1-5"', position=1, field=field)
        fields = parse_fields(text, field=field)
        cron = cls(" ".join(each.text for each in fields), fields)
        if next(cron._walls(_REFERENCE), None) is None:
            position = text.find(fields[2].text, len(fields[0].text) + len(fields[1].text) + 1) + 1
            raise CronError(
                f"day of month (field 3, character {position}): there is no such date in any year; "
                "change the day or the month",
                position=position,
                field=field,
            )
        return cron

    @property
    def is_fixed(self) -> bool:
        """A fixed schedule keeps wall time across daylight saving, a wildcard one follows real time."""
        return not (self.fields[0].is_wildcard or self.fields[1].is_wildcard)

    def fires(self, after: datetime, zone: ZoneInfo) -> Iterator[Fire]:
        """Every fire later than `after`, in order; take as many as are needed."""
        previous = after.astimezone(UTC)
        for fire in self._fixed(previous, zone) if self.is_fixed else self._wildcard(previous, zone):
            assert fire.at > previous, "fires do not go back in time"
            previous = fire.at
            yield fire

    def _fixed(self, after: datetime, zone: ZoneInfo) -> Iterator[Fire]:
        pending: Fire | None = None
        for wall in self._walls(
            wall_time(after, zone).replace(second=0, microsecond=0) - timedelta(minutes=1)
        ):
            fire = _fixed_fire(wall, zone)
            if fire.at <= after:
                continue
            if pending is None or pending.at == fire.at:
                # Wall times of one gap are one fire; a time that exists goes before those moved onto it.
                pending = fire if pending is None or (pending.moved and not fire.moved) else pending
                continue
            yield pending
            pending = fire
        if pending is not None:
            yield pending

    def _wildcard(self, after: datetime, zone: ZoneInfo) -> Iterator[Fire]:
        start, last, inclusive = after, after, False
        while start - last <= _LONGEST_WAIT:
            offset = offset_at(start, zone)
            wall = wall_time(start, zone)
            restart: datetime | None = None
            for match in self._walls(wall - _SECOND if inclusive else wall):
                at = in_utc(match, offset)
                restart = _restart(start, at, zone)
                if restart is not None:
                    break
                yield _wildcard_fire(at, match, zone)
                start = last = at
            if restart is None:
                return
            start, inclusive = restart, True

    def _walls(self, after: datetime) -> Iterator[datetime]:
        """Wall times that match, later than `after`, by croniter, which is told the day rule."""
        minute, hour, day, month, weekday = self.fields
        either = not (day.begins_with_star or weekday.begins_with_star)
        days, weekdays = day.canonical(), weekday.canonical()
        if either and (day.is_full or weekday.is_full):
            days = weekdays = "*"
        canonical = f"{minute.canonical()} {hour.canonical()} {days} {month.canonical()} {weekdays}"
        try:
            start = after.replace(microsecond=0)  # matches are whole minutes
            engine = croniter(canonical, start, day_or=either, max_years_between_matches=_SEARCH_YEARS)
            while True:
                wall: datetime = engine.get_next(datetime)
                if wall.year > _LAST_YEAR:
                    return
                yield wall
        except (CroniterError, OverflowError):
            return

    def walls(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The wall times of [start, end) that match, whether or not a clock shows them."""
        return takewhile(lambda wall: wall < end, self._walls(start - _SECOND))

    def check_zone(self, zone: ZoneInfo, *, field: str | None = None) -> None:
        """Refuse a schedule that fires at no time in its zone."""
        if next(self.fires(_REFERENCE.replace(tzinfo=UTC), zone), None) is None:
            raise CronError(
                f"never fires in {zone.key}: daylight saving skips these times; choose other hours",
                position=1,
                field=field,
            )

    def uneven_warning(self) -> str | None:
        """Why this is not the interval that it looks like, if so."""
        return warning_of(self.fields)


def _restart(start: datetime, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Where to look again, with the offset that holds there; None: the one of `start` holds until `at`.

    Nothing matches between the two, whatever zones do more than `_NEAR` from both: no clock is turned so far.
    """
    if at - start <= 2 * _NEAR:
        return find_change(start, at, zone)
    return find_change(start, start + _NEAR, zone) or at - _NEAR


def _fixed_fire(wall: datetime, zone: ZoneInfo) -> Fire:
    before, after = wall_offsets(wall, zone)
    at, moved = in_utc(wall, before), before < after
    if moved:
        at = find_change(in_utc(wall, after), at, zone) or at
    return Fire(at, _wall_key(wall), at.astimezone(zone), moved=moved, repeated=before > after)


def _wildcard_fire(at: datetime, wall: datetime, zone: ZoneInfo) -> Fire:
    before, after = wall_offsets(wall, zone)
    return Fire(at, _instant_key(at), at.astimezone(zone), repeated=before > after)


def _wall_key(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%dT%H:%M")


def _instant_key(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Every:
    """A steady interval, counted from an anchor, which cron cannot express."""

    seconds: int
    anchor: datetime = EPOCH

    @classmethod
    def parse(cls, value: object, *, anchor: datetime = EPOCH, field: str | None = None) -> "Every":
        """Accept `45m`; at least a minute, at most a year."""
        seconds = parse_duration(value, field=field)
        if not MIN_EVERY_SECONDS <= seconds <= MAX_EVERY_SECONDS:
            given = format_duration(seconds)
            raise UserError(f"an interval is at least 1m and at most 366d, not {given}", field=field)
        return cls(seconds, anchor.astimezone(UTC))

    @property
    def text(self) -> str:
        return format_duration(self.seconds)

    def fires(self, after: datetime, zone: ZoneInfo) -> Iterator[Fire]:
        """Every fire later than `after`, in order, without end; daylight saving changes nothing."""
        interval = timedelta(seconds=self.seconds)
        passed = (after - self.anchor) // interval
        at = self.anchor + (passed + 1) * interval
        while at.year <= _LAST_YEAR:
            yield Fire(at, _instant_key(at), at.astimezone(zone))
            at += interval

    def uneven_warning(self) -> str | None:
        """An interval is what it looks like."""
        return None


Schedule = Cron | Every


def next_fires(schedule: Schedule, after: datetime, zone: ZoneInfo, count: int) -> list[Fire]:
    """The first few fires later than `after`."""
    return list(islice(schedule.fires(after, zone), count))
