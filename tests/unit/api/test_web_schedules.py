"""What the form of a schedule means, and what its dialog says beside it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.schedules.rows import ScheduleSpec, StoredFire, StoredSchedule
from orchestrator_api.schedules.times import accept_times, next_fire, preview
from orchestrator_api.web import starts
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form
from orchestrator_api.web.schedules.preview import MOST_ZONES, zones_like
from orchestrator_api.web.schedules.words import (
    around_run,
    change_rows,
    fire_rows,
    misfire_said,
    outcome,
    second_zone,
    takes_longer,
)
from orchestrator_shared.domain.errors import UserError

NOW = datetime(2026, 11, 30, 6, 14, tzinfo=UTC)
UTC_ZONE, PRAGUE, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("Europe/Prague"), ZoneInfo("America/New_York")


def written(**fields: str) -> Fields:
    return Fields({**form.NEW, **fields})


@pytest.mark.parametrize(
    ("fields", "cron"),
    [
        ({}, "0 6 * * *"),
        ({"at": "2:30"}, "30 2 * * *"),
        ({"preset": "hourly", "minute": "17"}, "17 * * * *"),
        ({"preset": "weekly", "weekday": "0", "at": "23:59"}, "59 23 * * 0"),
        ({"preset": "monthly", "day": "31"}, "0 6 31 * *"),
        ({"preset": "every_15_minutes"}, "*/15 * * * *"),
        ({"preset": "custom", "cron": " 0 6  * * *"}, "0 6  * * *"),
        ({"preset": "daily", "cron": "5 5 5 5 5"}, "5 5 5 5 5"),
    ],
)
def test_the_expression_is_that_of_the_preset_unless_another_was_written(
    fields: dict[str, str], cron: str
) -> None:
    assert form.times_of(written(**fields)) == {"cron": cron, "timezone": "UTC"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"at": "24:00"}, "at"),
        ({"at": "half past two"}, "at"),
        ({"preset": "hourly", "minute": "60"}, "minute"),
        ({"preset": "monthly", "day": ""}, "day"),
        ({"preset": "interval", "every": "soon"}, "every"),
        ({"preset": ""}, "preset"),
    ],
)
def test_a_choice_that_cannot_be_read_is_refused_at_its_field(fields: dict[str, str], field: str) -> None:
    with pytest.raises(UserError) as refused:
        form.times_of(written(**fields))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "spec",
    [
        ScheduleSpec(cron="30 5 * * 1-5", timezone="Europe/Prague", overlap="skip", misfire="fire_all"),
        ScheduleSpec(cron="0 6 * * 7", catch_up_seconds=5400),
        ScheduleSpec(cron="59 23 31 * *", timezone="America/New_York"),
        ScheduleSpec(cron="*/45 * * * *"),
        ScheduleSpec(every_seconds=2700),
    ],
)
def test_a_schedule_that_is_shown_and_sent_again_is_the_same(spec: ScheduleSpec) -> None:
    fields = form.of_schedule(spec, "Europe/Prague")
    sent = replace(ScheduleSpec(), **form.body_of(fields))
    assert sent == spec
    again = form.followed(fields, is_good=True)
    assert form.body_of(again) == form.body_of(fields)


def test_a_preset_is_chosen_by_writing_and_writes_when_chosen() -> None:
    typed = form.followed(written(cron="30 5 * * 1"), is_good=True)
    assert (typed["preset"], typed["weekday"], typed["at"]) == ("weekly", "1", "05:30")
    assert not form.is_typed(typed)
    chosen = form.followed(Fields(typed | {"preset": "monthly"}), is_good=True)
    assert (chosen["cron"], chosen["cron_before"]) == ("30 5 1 * *", "30 5 1 * *")
    unreadable = form.followed(written(cron="0 24 * * *"), is_good=False)
    assert (unreadable["preset"], unreadable["at"]) == ("custom", "06:00")


def test_what_a_warning_offers_is_taken() -> None:
    warning = accept_times("*/45 * * * *", None, "UTC").warning
    offered = form.offered_by(warning)
    assert offered == "every: 45m"
    taken = form.taken(written(cron="*/45 * * * *"), offered)
    assert form.times_of(taken) == {"every_seconds": 2700, "timezone": "UTC"}
    other = form.taken(written(cron="@daily"), "0 0 * * *")
    assert (other["preset"], form.cron_of(other)) == ("daily", "0 0 * * *")
    assert form.offered_by(None) is None


def test_fires_are_shown_in_both_zones() -> None:
    assert [second_zone(*each) for each in ((UTC_ZONE, PRAGUE), (PRAGUE, PRAGUE), (UTC_ZONE, UTC_ZONE))] == [
        PRAGUE,
        UTC_ZONE,
        None,
    ]
    found = preview(accept_times("30 22 31,1 * *", None, "America/New_York"), NOW).fires
    rows = fire_rows(found, NEW_YORK, PRAGUE)
    assert [(each.local, each.other) for each in rows[:3]] == [
        ("Tue 1 Dec 2026, 22:30", "Wed 2 Dec, 04:30"),
        ("Thu 31 Dec, 22:30", "Fri 1 Jan, 04:30"),
        ("Fri 1 Jan 2027, 22:30", "Sat 2 Jan, 04:30"),
    ]
    same_day = fire_rows(preview(accept_times("0 6 * * *", None, "UTC"), NOW).fires, UTC_ZONE, PRAGUE)
    assert same_day[0].other == "07:00"


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        (
            "30 2 * * *",
            [
                ("Sun 28 Mar 2027, 03:00", "01:00", "moved"),
                ("Sun 31 Oct 2027, 02:30", "00:30", "first of two"),
            ],
        ),
        ("*/30 2 * * *", [("Sun 28 Mar 2027", "", "none that night"), ("Sun 31 Oct 2027", "", "twice")]),
        ("0 6 * * *", [("Sun 28 Mar 2027", "", "as usual"), ("Sun 31 Oct 2027", "", "as usual")]),
    ],
)
def test_the_next_clock_changes_are_told(cron: str, told: list[tuple[str, str, str]]) -> None:
    found = preview(accept_times(cron, None, "Europe/Prague"), NOW).clock_changes
    rows = change_rows(found, PRAGUE, UTC_ZONE)
    assert [(each.local, each.other, each.label) for each in rows] == told
    assert [each.icon is None for each in rows] == [label == "as usual" for _, _, label in told]


def stored(**more: Any) -> StoredSchedule:
    usual: dict[str, Any] = {"version": 1, "updated_at": NOW, "next_at": None}
    return StoredSchedule(id=uuid4(), orchestration="o", name="n", **(usual | more))


def test_a_schedule_that_was_just_saved_says_when_it_fires_before_the_scheduler_does() -> None:
    decided = datetime(2026, 12, 1, tzinfo=UTC)
    assert next_fire(stored(cron="0 5 * * *", next_at=decided), NOW) == decided
    assert next_fire(stored(cron="0 5 * * *"), NOW) == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert next_fire(stored(every_seconds=2700), NOW) == datetime(2026, 11, 30, 6, 59, tzinfo=UTC)
    assert next_fire(stored(cron="0 5 * * *", enabled=False), NOW) is None
    assert next_fire(stored(cron="0 5 * * *", timezone="Mars/Olympus"), NOW) is None


def test_runs_that_take_longer_than_the_interval_are_told() -> None:
    fires = preview(accept_times("*/30 * * * *", None, "UTC"), NOW).fires
    assert takes_longer(None, fires, "skip") is None
    assert takes_longer(1800, fires, "skip") is None
    said = takes_longer(3600, fires, "skip") or ""
    assert said.startswith("Runs usually take 1 h, longer than the 30 min between fires.")
    assert said.endswith(" Fires in between are skipped.")


def test_zones_are_found_by_a_part_of_their_name() -> None:
    assert zones_like("new y")[0] == "America/New_York"
    assert zones_like("prague") == ["Europe/Prague"]
    assert zones_like("nowhere at all") == []
    assert len(zones_like("")) == MOST_ZONES


def test_the_present_choice_is_said() -> None:
    assert misfire_said("fire_once", "24h") == "run the newest, up to 1 day late"
    assert misfire_said("fire_all", "soon") == "run each of them"
    assert misfire_said("skip", "24h") == "run none of them"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"outcome": "missed"}, "Missed: no scheduler was running, and it was not caught up"),
        ({"status": "merged", "other_number": 7}, "Joined run #7, which was still waiting"),
        ({"status": "skipped"}, "Skipped: another run had not ended"),
        ({}, "Requested a run"),
    ],
)
def test_what_became_of_a_fire_is_said(fields: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {"outcome": "requested", "number": None, "status": None, "other_number": None}
    fire = StoredFire(fire_key="k", scheduled_for=NOW, at=NOW, job_id=uuid4(), version=1, **(usual | fields))
    assert outcome(fire) == said
    before, run, after = around_run(fire)
    assert (before + run + after, run) == (said, "run #7" if fire.other_number else "")


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("* * * * *", ""),
        ("*/30 * * * *", ""),
        ("0 * * * *", ""),
        ("30 5 * * *", "Prague"),
        ("0 */5 * * *", "Prague"),
    ],
)
def test_a_zone_is_named_where_it_matters(cron: str, zone: str) -> None:
    assert starts.of_schedule(stored(cron=cron, timezone="Europe/Prague")).zone == zone
