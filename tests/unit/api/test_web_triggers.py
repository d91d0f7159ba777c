"""What the form of a trigger means, and what its dialog says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.triggers.explanations import Explanation, ShownTable
from orchestrator_api.triggers.rhythm import Dropped
from orchestrator_api.triggers.rhythms import Punctuality, ShownRhythm, Starvation, TriggerPreview
from orchestrator_api.triggers.rows import StoredTrigger, TriggerSpec
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.starts import of_trigger
from orchestrator_api.web.triggers import form
from orchestrator_api.web.triggers.picker import meaning
from orchestrator_api.web.triggers.words import (
    became,
    dropped,
    heard,
    in_zone,
    marked,
    needed,
    ready_rows,
)
from orchestrator_api.web.viewer import Viewer
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import Disposition

NOW = datetime(2026, 11, 30, 6, 14, tzinfo=UTC)
VIEWER = Viewer(NOW, ZoneInfo("Europe/Prague"), None, True)


def test_a_trigger_that_is_shown_and_sent_again_is_the_same() -> None:
    for spec in (
        TriggerSpec(tables=["finance/in.c-rates.daily", "in.c-crm.contacts"], cool_down_seconds=3000),
        TriggerSpec(tables=["in.c-crm.contacts"], mode="defer"),
    ):
        assert TriggerSpec(**form.body_of(form.of_trigger(spec))) == spec


def test_a_cool_down_that_cannot_be_read_is_refused_at_its_field() -> None:
    assert form.cool_down_of(Fields({"cool_down": ""})) == 0
    with pytest.raises(UserError) as refused:
        form.cool_down_of(Fields({"cool_down": "soon"}))
    assert refused.value.field == "cool_down"


def test_instants_of_an_explanation_are_told_in_the_viewers_zone() -> None:
    sentence = "missing: in.c-rates.daily, since run #42 started at 2026-11-30T04:30:00Z."
    assert in_zone(sentence, VIEWER) == "Missing: in.c-rates.daily, since run #42 started at 05:30."
    assert in_zone("at 2026-11-27T11:30:00.123456Z", VIEWER) == "At Fri 27 Nov 12:30"


def shown(table: str, **more: Any) -> ShownTable:
    usual: dict[str, Any] = dict.fromkeys(ShownTable.__dataclass_fields__)
    return ShownTable(**{**usual, "table": table, "updated_since_last_run": False, **more})


def test_what_is_missing_stands_first_with_since_when_and_how_late() -> None:
    rhythm = ShownRhythm(86400.0, "06:40", (0, 1, 2, 3, 4), "weekdays, first usually 06:40")
    since = NOW - timedelta(minutes=44)
    missing = {"missing_since": since, "missing_because": "run #42 started", "rhythm": rhythm}
    tables = [
        shown("ready", updated_since_last_run=True, ready_since=since),
        shown("early", **missing, expected_at=NOW + timedelta(minutes=26), late_seconds=0.0),
        shown("late", **missing, expected_at=since, late_seconds=2040.0),
        shown("new"),
    ]
    parts: dict[str, Any] = dict.fromkeys(Explanation.__dataclass_fields__)
    rows = ready_rows(Explanation(**{**parts, "tables": tables}), VIEWER)
    usual = "missing since 06:30, when run #42 started; weekdays, first usually 06:40"
    assert [(each.table, each.said, each.late) for each in rows] == [
        ("late", usual, "34 min late"),
        ("early", f"{usual}, expected 07:40", ""),
        ("new", "missing", ""),
        ("ready", "ready since 06:30", ""),
    ]


def test_the_numbers_of_the_tables_are_told_in_words() -> None:
    found = [
        Dropped("in.c-a.x", 20, 14, 3000.0),
        Dropped("in.c-a.y", 1, 0, 0.0),
        Dropped("in.c-a.z", 2, 0, 0.0),
        Dropped("in.c-a.none", 0, 0, 0.0),
    ]
    assert dropped(Starvation(NOW, found, None)) == [
        "in.c-a.x: 14 of 20 updates would not have counted, its data up to 50 min old",
        "in.c-a.y: its one update would have counted",
        "in.c-a.z: all 2 updates would have counted",
    ]


def test_a_table_to_choose_says_its_last_update_and_its_rhythm() -> None:
    usual = Punctuality(ShownRhythm(3600.0, None, (), "every 60 min"))
    assert heard(NOW - timedelta(minutes=4), usual, VIEWER) == "last update 4 min ago · every 60 min"
    assert heard(None, Punctuality(), VIEWER) == "no updates yet"
    assert marked("in.c-Rates.daily", "rates") == [("in.c-", False), ("Rates", True), (".daily", False)]
    assert marked("in.c-a.x", " ") == [("in.c-a.x", False)]


@pytest.mark.parametrize(
    ("written", "there"), [("50m", True), ("0", False), ("", False), ("0m", False), ("soon", False)]
)
def test_what_a_cool_down_would_drop_is_said_only_if_there_is_one(written: str, there: bool) -> None:
    tables = [Dropped(table="in.c-shop.orders", updates=3, dropped=1, longest_seconds=600)]
    found = TriggerPreview((), "", "", Starvation(datetime(2026, 11, 30, tzinfo=UTC), tables, None))
    said = meaning(found, Fields({"cool_down": written}))
    assert said is not None
    assert bool(said.dropped) is there


def test_every_disposition_has_words() -> None:
    assert {each for each in Disposition if became(each).text == each.replace("_", " ")} == {"counted"}
    assert became("deferred_again").text == "deferred again"


def test_how_many_tables_are_needed_is_said() -> None:
    assert [needed(count) for count in (0, 1, 2, 3)] == [
        "all of its tables were",
        "its table was",
        "both tables were",
        "all 3 tables were",
    ]


def test_the_list_tells_how_many_tables_are_ready() -> None:
    stored = StoredTrigger(
        tables=("a.b", "a.c"), id=uuid4(), orchestration="o", name="n", version=1, tables_ready=1
    )
    assert of_trigger(stored).ready == (1, 2)
