"""How often and when a table is usually updated, and how late it is: decided from recorded updates. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from orchestrator_shared.domain.durations import about_duration
from orchestrator_shared.domain.schedule_words import weekdays_in_words

LEAST_UPDATES = 5
"""Fewer say nothing of what is usual."""
_LEAST_DAYS = 5
_QUIET = timedelta(hours=4)
"""The first update of a day comes after at least such a pause, or it is none that people wait for."""
_SPREAD = timedelta(minutes=30)
_MOSTLY = 0.8
_WEEKDAYS_AFTER = timedelta(days=13)
_LEAST_LATE = timedelta(minutes=5)
_ALL_DAYS = tuple(range(7))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is usual."""

    interval_seconds: float
    """The median time from one update to the next."""
    usual_time: time | None
    """Of the first update of a day, in the zone that was asked for, if it is stable."""
    weekdays: Sequence[int]
    """On which it is updated, Monday being 0."""
    words: str


@dataclass(frozen=True, slots=True)
class Lateness:
    """Against what is usual."""

    expected_at: datetime
    """When the next update was, or is, expected."""
    late_seconds: float
    """How long ago that was; 0 while it is not late."""


def rhythm_of(heard: Sequence[datetime], zone: ZoneInfo) -> Rhythm | None:
    """The rhythm of these updates, given oldest first; None if they are too few."""
    if len(heard) < LEAST_UPDATES:
        return None
    gaps = [(after - before).total_seconds() for before, after in pairwise(heard)]
    interval = median(gaps)
    firsts = _firsts(heard, zone)
    usual = _usual_time(firsts)
    weekdays = _weekdays(heard, zone) if usual else _ALL_DAYS
    words = _words(interval, usual, weekdays, is_often=len(heard) > 1.5 * len(firsts))
    return Rhythm(interval, usual, weekdays, words)


def lateness_of(rhythm: Rhythm, last_heard: datetime, now: datetime, zone: ZoneInfo) -> Lateness:
    """How late the table's next update is."""
    if rhythm.usual_time is None:
        expected = last_heard + timedelta(seconds=rhythm.interval_seconds)
        least = max(_LEAST_LATE, timedelta(seconds=rhythm.interval_seconds / 2))
    else:
        expected = _next_first(rhythm, last_heard, zone)
        least = _LEAST_LATE
    late = now - expected
    return Lateness(expected, late.total_seconds() if late > least else 0.0)


@dataclass(frozen=True, slots=True)
class _First:
    """The first update of a day: its wall time, and whether a pause came before it."""

    wall: datetime
    after_pause: bool


def _firsts(heard: Sequence[datetime], zone: ZoneInfo) -> list[_First]:
    found: dict[date, _First] = {}
    for index, at in enumerate(heard):
        wall = at.astimezone(zone)
        before = heard[index - 1] if index else None
        if wall.date() not in found and before is not None:
            found[wall.date()] = _First(wall, at - before >= _QUIET)
    return list(found.values())


def _usual_time(firsts: Sequence[_First]) -> time | None:
    if len(firsts) < _LEAST_DAYS or sum(each.after_pause for each in firsts) < _MOSTLY * len(firsts):
        return None
    minutes = [each.wall.hour * 60 + each.wall.minute for each in firsts]
    usual = round(median(minutes))
    near = sum(abs(each - usual) <= _SPREAD.total_seconds() / 60 for each in minutes)
    return time(usual // 60, usual % 60) if near >= _MOSTLY * len(minutes) else None


def _weekdays(heard: Sequence[datetime], zone: ZoneInfo) -> Sequence[int]:
    """Those of which at least half had an update; every day until there are two weeks to judge by."""
    days = {at.astimezone(zone).date() for at in heard}
    begin, end = min(days), max(days)
    if end - begin < _WEEKDAYS_AFTER:
        return _ALL_DAYS
    span = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
    return [
        weekday
        for weekday in _ALL_DAYS
        if 2 * sum(day.weekday() == weekday for day in days) >= sum(d.weekday() == weekday for d in span)
    ]


def _next_first(rhythm: Rhythm, last_heard: datetime, zone: ZoneInfo) -> datetime:
    """The usual time on the next day, after that of the last update, on which it is updated."""
    assert rhythm.usual_time is not None
    days = rhythm.weekdays or _ALL_DAYS
    day = last_heard.astimezone(zone).date() + timedelta(days=1)
    while day.weekday() not in days:
        day += timedelta(days=1)
    return datetime.combine(day, rhythm.usual_time, zone)


def _words(interval: float, usual: time | None, weekdays: Sequence[int], *, is_often: bool) -> str:
    if usual is None:
        minutes = round(interval / 60)
        if minutes in (1, 60):
            return "every minute" if minutes == 1 else "every hour"
        return f"every {minutes} min" if 1 <= minutes < 120 else f"every {about_duration(interval)}"
    first = "first usually" if is_often else "usually"
    return f"{weekdays_in_words(weekdays)}, {first} {usual:%H:%M}"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What mode `ignore` would have done to one table's updates."""

    table: str
    updates: int
    dropped: int
    """In the cool-down: they neither start a run nor count for one."""
    longest_seconds: float
    """For how long, at most, the data of a dropped update waited for the next one that counted."""


def dropped_under_ignore(
    heard: Mapping[str, Sequence[datetime]], cool_down: timedelta, now: datetime
) -> list[Dropped]:
    """Replay these updates of a trigger's tables in mode `ignore`, as if every run had started at once."""
    counted: set[str] = set()
    waiting: dict[str, datetime] = {}
    dropped = dict.fromkeys(heard, 0)
    longest = dict.fromkeys(heard, timedelta())
    cools_until: datetime | None = None
    for at, table in sorted((at, table) for table, times in heard.items() for at in times):
        if cools_until is not None and at < cools_until:
            dropped[table] += 1
            waiting.setdefault(table, at)
            continue
        if table in waiting:
            longest[table] = max(longest[table], at - waiting.pop(table))
        counted.add(table)
        if len(counted) == len(heard):
            counted.clear()
            cools_until = at + cool_down
    for table, at in waiting.items():
        longest[table] = max(longest[table], now - at)
    return [
        Dropped(table, len(times), dropped[table], longest[table].total_seconds())
        for table, times in heard.items()
    ]


def starvation_warning(found: Sequence[Dropped], cool_down: timedelta, window: str) -> str | None:
    """What dropping would have cost: most updates of a table, or data older than the cool-down."""
    starved = [
        each
        for each in found
        if each.dropped
        and (2 * each.dropped >= each.updates or each.longest_seconds > cool_down.total_seconds())
    ]
    if not starved:
        return None
    worst = max(starved, key=lambda each: each.longest_seconds)
    old = about_duration(worst.longest_seconds)
    return (
        f"With ignore, {worst.dropped} of the {worst.updates} updates of {worst.table} in the last {window}"
        f" would have been dropped: its data would have stayed old for up to {old}."
    )
