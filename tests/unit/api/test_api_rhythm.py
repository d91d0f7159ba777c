"""How regularly a table is updated, how late it is, and what mode `ignore` would drop."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.triggers.rhythm import (
    Dropped,
    dropped_under_ignore,
    lateness_of,
    rhythm_of,
    starvation_warning,
)
from orchestrator_api.triggers.rhythms import MOST_UPDATES, modes_in_words, punctuality, starvation

PRAGUE = ZoneInfo("Europe/Prague")
MONDAY = datetime(2026, 11, 30, 6, 14, tzinfo=UTC)
"""07:14 in Prague."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def intraday(*, weeks: int = 3) -> list[datetime]:
    """On weekdays at about 06:40, 09:00 and 12:30 in Prague, until last Friday."""
    found = []
    for day in range(weeks * 7, 0, -1):
        morning = (MONDAY - day * DAY).astimezone(PRAGUE).replace(hour=6, minute=40)
        if morning.weekday() < 5:
            jitter = (day % 5 - 2) * MINUTE
            found += [morning + jitter, morning.replace(hour=9), morning.replace(hour=12, minute=30)]
    return [at.astimezone(UTC) for at in found]


def test_too_few_updates_say_nothing() -> None:
    assert rhythm_of([MONDAY - n * HOUR for n in range(4, 0, -1)], PRAGUE) is None
    assert punctuality([], MONDAY, PRAGUE).rhythm is None


def test_a_steady_table_has_an_interval() -> None:
    heard = [MONDAY - n * HOUR for n in range(60, 0, -1)]
    rhythm = rhythm_of(heard, PRAGUE)
    assert rhythm is not None
    assert (rhythm.interval_seconds, rhythm.usual_time, rhythm.words) == (3600, None, "every hour")
    on_time = lateness_of(rhythm, heard[-1], heard[-1] + 89 * MINUTE, PRAGUE)
    assert (on_time.expected_at, on_time.late_seconds) == (heard[-1] + HOUR, 0)
    assert lateness_of(rhythm, heard[-1], heard[-1] + 100 * MINUTE, PRAGUE).late_seconds == 40 * 60


def test_the_first_update_of_a_day_has_its_time_and_its_weekdays() -> None:
    heard = intraday()
    rhythm = rhythm_of(heard, PRAGUE)
    assert rhythm is not None
    assert rhythm.words == "weekdays, first usually 06:40"
    late = lateness_of(rhythm, heard[-1], MONDAY, PRAGUE)
    assert late.expected_at.astimezone(PRAGUE) == datetime(2026, 11, 30, 6, 40, tzinfo=PRAGUE)
    assert late.late_seconds == 34 * 60
    saturday = MONDAY - 2 * DAY
    assert lateness_of(rhythm, heard[-1], saturday, PRAGUE).late_seconds == 0
    assert lateness_of(rhythm, heard[-1], late.expected_at + 4 * MINUTE, PRAGUE).late_seconds == 0


def test_a_daily_table_keeps_its_time_across_a_clock_change() -> None:
    before = datetime(2026, 10, 20, 6, 40, tzinfo=PRAGUE)
    heard = [(before + n * DAY).astimezone(UTC) for n in range(10)]
    rhythm = rhythm_of(heard, PRAGUE)
    assert rhythm is not None
    assert rhythm.words == "every day, usually 06:40"
    assert rhythm_of(heard, ZoneInfo("UTC")).words != rhythm.words  # type: ignore[union-attr]


def test_times_that_vary_are_no_usual_time() -> None:
    heard = [MONDAY - n * DAY + (n * 7 % 24) * HOUR for n in range(20, 0, -1)]
    rhythm = rhythm_of(sorted(heard), PRAGUE)
    assert rhythm is not None
    assert rhythm.usual_time is None


def test_what_ignore_drops_of_steady_updates() -> None:
    heard = {"in.c-a.x": [MONDAY - n * 10 * MINUTE for n in range(144, 0, -1)]}
    (found,) = dropped_under_ignore(heard, 50 * MINUTE, MONDAY)
    assert found == Dropped("in.c-a.x", 144, 115, 40 * 60)
    warning = starvation_warning([found], 50 * MINUTE, "7 days")
    assert warning == (
        "With ignore, 115 of the 144 updates of in.c-a.x in the last 7 days would have been dropped: its data"
        " would have stayed old for up to 40 min."
    )


def test_a_burst_that_a_cool_down_swallows_leaves_data_old() -> None:
    burst = [MONDAY + n * MINUTE for n in (0, 15, 30, 320)]
    found = dropped_under_ignore({"in.c-r.rates": burst}, 50 * MINUTE, MONDAY + DAY)
    assert found == [Dropped("in.c-r.rates", 4, 2, 305 * 60)]
    assert starvation_warning(found, 50 * MINUTE, "7 days") is not None


def test_updates_between_cool_downs_starve_nothing() -> None:
    heard = {"in.c-a.x": [MONDAY + n * HOUR for n in range(24)], "in.c-a.y": [MONDAY + 12 * HOUR]}
    found = dropped_under_ignore(heard, 50 * MINUTE, MONDAY + DAY)
    assert [each.dropped for each in found] == [0, 0]
    assert starvation_warning(found, 50 * MINUTE, "7 days") is None


def test_only_what_the_records_of_all_tables_cover_is_replayed() -> None:
    often = [MONDAY - n * MINUTE for n in range(MOST_UPDATES, 0, -1)]
    seldom = [MONDAY - 6 * DAY, MONDAY - 20 * MINUTE]
    found = starvation({"often": often, "seldom": seldom}, 600, MONDAY)
    assert found.since == often[0]
    assert [each.updates for each in found.tables] == [MOST_UPDATES, 1]
    assert starvation({"seldom": seldom}, 600, MONDAY).since == MONDAY - 7 * DAY


@pytest.mark.parametrize("mode", ["ignore", "defer"])
def test_modes_are_told_for_a_cool_down(mode: str) -> None:
    assert "no cool-down" in modes_in_words(0)[mode]
    assert "in the 50 min after a run" in modes_in_words(3000)[mode]
