"""Times and durations in words, as the pages say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.web import words

NOW = datetime(2026, 11, 30, 6, 14, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (0.4, "0.4 s"),
        (3.44, "3.4 s"),
        (9.97, "10 s"),
        (41.2, "41 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (413, "6 min 53 s"),
        (2700, "45 min"),
        (5820, "1 h 37 min"),
        (7200, "2 h"),
        (86400, "1 day"),
        (3 * 86400 + 7, "3 days"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-14), "14 s ago"),
        (timedelta(minutes=-26, seconds=-50), "26 min ago"),
        (timedelta(minutes=-97), "1 h 37 min ago"),
        (timedelta(seconds=46), "in 46 s"),
        (timedelta(hours=22, minutes=16), "in 22 h 16 min"),
        (timedelta(days=1), "Tue 07:14"),
        (timedelta(days=-4, minutes=37), "Thu 26 Nov 07:51"),
        (timedelta(days=40), "Sat 9 Jan 2027 07:14"),
    ],
)
def test_times_are_relative_for_a_day(away: timedelta, said: str) -> None:
    assert words.relative(NOW + away, NOW, PRAGUE) == said


def test_a_time_of_today_needs_no_day() -> None:
    assert words.day_and_time(NOW + timedelta(hours=2), NOW, PRAGUE) == "09:14"
    assert words.day_and_time(NOW - timedelta(hours=7), NOW, PRAGUE) == "00:14"
    assert words.utc(NOW) == "2026-11-30 06:14:00 UTC"


def test_counts_and_names() -> None:
    assert [words.counted(1, "table"), words.counted(1204, "run")] == ["1 table", "1,204 runs"]
    assert words.zone_name(ZoneInfo("America/New_York")) == "New York"
    people = ("Jana Nováková", "eva@example.com", "a.b.c@example.com", "…", "")
    assert [words.initials(name) for name in people] == ["JN", "E", "AC", "?", "?"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the address or the password is wrong", "The address or the password is wrong."),
        ("choose at least one: see, change or start", "Choose at least one: see, change or start."),
        ("Not included", "Not included."),
        ("Who is it for?", "Who is it for?"),
        ("in.c-crm.contacts has no bucket", "in.c-crm.contacts has no bucket."),
        ("America/New_York", "America/New_York"),
        ("", ""),
    ],
)
def test_what_the_api_writes_is_a_sentence_on_pages(text: str, said: str) -> None:
    assert words.sentence(text) == said
