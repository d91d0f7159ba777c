"""What the next clock changes do to a schedule, told before it is saved (PAGE, moment 8)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from orchestrator_shared.domain.clock_changes import ClockChange, clock_changes
from orchestrator_shared.domain.cron import Cron, Every

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")
HOWE = ZoneInfo("Australia/Lord_Howe")


def found(text: str, zone: ZoneInfo = PRAGUE) -> list[ClockChange]:
    return clock_changes(Cron.parse(text), NOW, zone)


def told(text: str, zone: ZoneInfo = PRAGUE) -> list[str]:
    return [f"{each.local:%d %b %Y}: {each.label}. {each.words}" for each in found(text, zone)]


EFFECTS = {
    "30 2 * * *": [
        "28 Mar 2027: moved. 02:30 does not exist that night; it fires once, right after the gap, at 03:00.",
        "31 Oct 2027: first of two. 02:30 occurs twice that night; it fires the first time only.",
    ],
    "15,45 2 * * *": [
        "28 Mar 2027: moved. 02:15 and 02:45 do not exist that night; they fire once, right after the gap,"
        " at 03:00.",
        "31 Oct 2027: first of two. 02:15 and 02:45 occur twice that night; they fire the first time only.",
    ],
    "30 2 * * 1-5": [
        "28 Mar 2027: as usual. No fire falls into the time that is skipped.",
        "31 Oct 2027: as usual. No fire falls into the time that comes twice.",
    ],
    "*/30 2 * * *": [
        "28 Mar 2027: none that night. 02:00 and 02:30 do not exist that night, so nothing fires.",
        "31 Oct 2027: twice. 02:00 and 02:30 occur twice that night, and so do the fires.",
    ],
    "*/10 2-4 * * *": [
        "28 Mar 2027: left out. 02:00, 02:10, 02:20 and 3 more do not exist that night and are left out.",
        "31 Oct 2027: twice. 02:00, 02:10, 02:20 and 3 more occur twice that night, and so do the fires.",
    ],
    "*/30 * * * *": [
        "28 Mar 2027: as usual. It follows real time: no fire is left out or doubled.",
        "31 Oct 2027: as usual. It follows real time: no fire is left out or doubled.",
    ],
    "30 5 * * *": [
        "28 Mar 2027: as usual. No fire falls into the time that is skipped.",
        "31 Oct 2027: as usual. No fire falls into the time that comes twice.",
    ],
}


@pytest.mark.parametrize(("text", "words"), EFFECTS.items())
def test_a_clock_change_is_told_by_its_effect(text: str, words: list[str]) -> None:
    assert told(text) == words


def test_a_time_of_the_gap_joins_the_fire_that_is_there_anyway() -> None:
    spring = found("30,0 2,3 * * *")[0]
    assert (spring.effect, spring.fires) == ("left_out", [])
    assert spring.words == "02:00 and 02:30 do not exist that night; only 03:00 fires."


def test_the_fires_that_differ_are_shown_with_their_instants() -> None:
    spring, autumn = found("30 2 * * *")
    assert (spring.at, spring.shift_seconds) == (datetime(2027, 3, 28, 1, tzinfo=UTC), 3600)
    assert [fire.at for fire in spring.fires] == [datetime(2027, 3, 28, 1, tzinfo=UTC)]
    assert (autumn.at, autumn.shift_seconds) == (datetime(2027, 10, 31, 1, tzinfo=UTC), -3600)
    assert [fire.at for fire in autumn.fires] == [datetime(2027, 10, 31, 0, 30, tzinfo=UTC)]
    assert len(found("*/30 2 * * *")[1].fires) == 4
    assert len(found("* 2 * * *")[1].fires) == 10


def test_half_an_hour_is_left_out_even_of_an_hourly_schedule() -> None:
    labels = [each.label for each in found("0 * * * *", HOWE)]
    assert labels == ["as usual", "left out"]
    assert [each.label for each in found("*/30 * * * *", HOWE)] == ["twice", "left out"]


def test_an_interval_follows_real_time() -> None:
    effects = clock_changes(Every(2700), NOW, PRAGUE)
    assert [(each.effect, each.words.split(":")[0]) for each in effects] == [
        ("unchanged", "An interval follows real time")
    ] * 2


def test_a_zone_without_changes_has_none() -> None:
    assert found("30 2 * * *", ZoneInfo("UTC")) == []
    assert found("30 2 * * *", ZoneInfo("Asia/Tokyo")) == []


def test_a_gap_at_midnight_is_told_by_the_times_of_its_own_day() -> None:
    spring = found("30 0 * * *", ZoneInfo("Africa/Cairo"))[0]
    assert (spring.effect, spring.words) == (
        "moved",
        "00:30 does not exist that night; it fires once, right after the gap, at 01:00.",
    )
