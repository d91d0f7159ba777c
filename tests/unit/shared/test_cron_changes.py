"""Issue 8, number 28: fires around all zones' changes 2024 to 2040 against a scan, in bounded steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.zones import Change, changes_of_all_zones

from orchestrator_shared.domain import zones
from orchestrator_shared.domain.cron import Cron, next_fires, parse_zone

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPAN = timedelta(hours=30)
MOST_LOOKS = 2_000
"""Into a zone, for five fires; five that are 40 years apart take less."""

EXPRESSIONS = [
    "* * * * *",
    "*/30 * * * *",
    "0 * * * *",
    "7,59 */2 * * *",
    "30 */6 * * *",
    "0-59 0-23 * * *",
    "30 2 * * *",
    "0 0,1,2,3 * * *",
    "15,45 0-4 * * *",
    "59 23 * * *",
    "*/20 1-3 * * 0",
]


@cache
def accepted(text: str) -> Cron:
    return Cron.parse(text)


def matches(cron: Cron, wall: datetime) -> bool:
    """The expressions here restrict at most one of the two kinds of days."""
    values = (wall.minute, wall.hour, wall.day, wall.month, wall.isoweekday() % 7)
    return all(value in field.values for value, field in zip(values, cron.fields, strict=True))


def walls(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Every minute of real time, and what the clock on the wall shows."""
    at = start.replace(second=0, microsecond=0)
    while at <= end:
        yield at, at.astimezone(zone).replace(tzinfo=None, fold=0)
        at += MINUTE


def brute_force(cron: Cron, after: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Look at every minute. Fixed: a wall time counts once, and one that is left out when the gap is over."""
    found: set[datetime] = set()
    seen: set[datetime] = set()
    previous: datetime | None = None
    for at, wall in walls(after - 2 * DAY if cron.is_fixed else after, end, zone):
        if cron.is_fixed:
            passed = [] if previous is None else _minutes(previous + MINUTE, wall)
            times = [time for time in (*passed, wall) if time not in seen]
            seen.update(times)
        else:
            times = [wall]
        if any(matches(cron, time) for time in times):
            found.add(at)
        previous = wall
    return sorted(at for at in found if after < at <= end)


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range(max(0, (end - start) // MINUTE))]


CHANGES = changes_of_all_zones(datetime(2024, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC))
PRAGUE = Change("Europe/Prague", datetime(2026, 3, 29, 1, tzinfo=UTC))


def test_the_changes_are_those_of_all_zones() -> None:
    assert len({change.zone for change in CHANGES}) > 50
    assert PRAGUE.at in {change.at for change in CHANGES}
    assert {change.at.year for change in CHANGES} == set(range(2024, 2041))


@settings(max_examples=150, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    text=st.sampled_from(EXPRESSIONS),
    before=st.timedeltas(-timedelta(hours=4), timedelta(hours=26)),
)
@example(PRAGUE, "0 * * * *", timedelta(minutes=30, microseconds=1))
@example(PRAGUE, "0 * * * *", timedelta(microseconds=1))
@example(PRAGUE, "*/30 * * * *", timedelta(seconds=1, microseconds=500_000))
@example(PRAGUE, "30 2 * * *", timedelta(seconds=-1, microseconds=1))
def test_fires_near_a_change_are_those_of_a_scan(change: Change, text: str, before: timedelta) -> None:
    cron, zone, after = accepted(text), parse_zone(change.zone), change.at - before
    end = after + SPAN
    found: list[datetime] = []
    for fire in islice(cron.fires(after, zone), 40):
        if fire.at > end:
            break
        found.append(fire.at)
    assert found == brute_force(cron, after, end, zone)[:40]


def test_the_hour_before_every_change_with_microseconds() -> None:
    """`0 * * * *` in the hour before each change did not end."""
    cron = accepted("0 * * * *")
    for change in CHANGES:
        zone, after = parse_zone(change.zone), change.at - timedelta(minutes=29, microseconds=7)
        expected = brute_force(cron, after, after + 3 * HOUR, zone)
        assert [fire.at for fire in next_fires(cron, after, zone, len(expected))] == expected, change


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Every look into a zone; one too many is an error, so that what has no end fails."""
    made: list[datetime] = []
    real = zones.offset_at

    def counted(instant: datetime, zone: ZoneInfo) -> timedelta:
        made.append(instant)
        assert len(made) <= MOST_LOOKS, "no end"
        return real(instant, zone)

    monkeypatch.setattr(zones, "offset_at", counted)
    return made


@pytest.mark.parametrize("text", ["*/30 2 28 3 *", "*/30 2 29 2 1", "* * 29 2 */6", "59 */23 31 12 *"])
@pytest.mark.parametrize("zone", ["Europe/Prague", "Pacific/Apia", "Africa/Casablanca"])
def test_rare_fires_take_few_looks_into_the_zone(text: str, zone: str, looks: list[datetime]) -> None:
    start = datetime(2026, 3, 29, 0, 30, 0, 5, tzinfo=UTC)
    assert len(next_fires(Cron.parse(text), start, parse_zone(zone), 5)) == 5
    assert looks


@given(st.integers(0, 6 * 86_400 * 10**6), st.sampled_from(CHANGES), st.integers(0, 6 * 86_400 * 10**6))
@settings(max_examples=100, deadline=None)
def test_a_change_is_found_to_the_second(before: int, change: Change, length: int) -> None:
    zone = parse_zone(change.zone)
    start = change.at - timedelta(microseconds=before)
    end = start + timedelta(microseconds=length)
    found = zones.find_change(start, end, zone)
    if start < change.at <= end:
        assert found == change.at
    else:
        assert found is None or start < found <= end


@pytest.mark.parametrize("weekday", range(7))
def test_29_february_on_any_weekday_is_found_for_four_hundred_years(weekday: int) -> None:
    """The longest wait that a calendar knows is 40 years, around 2100."""
    cron = Cron.parse(f"0 12 */28 2 {weekday}")
    days = (datetime(year, 2, 29, 12, tzinfo=UTC) for year in range(2028, 2400, 4) if _is_leap(year))
    expected = [day for day in days if day.isoweekday() % 7 == weekday]
    found = next_fires(cron, datetime(2027, 1, 1, tzinfo=UTC), parse_zone("UTC"), 2000)
    assert [fire.at for fire in found if fire.at.day == 29 and fire.at.year < 2400] == expected


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
