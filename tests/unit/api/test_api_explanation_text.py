"""The sentences that explain a trigger, as people read them (issue 8, number 40)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator_api.triggers.explanation_text import (
    Fired,
    FiredTable,
    Off,
    Since,
    TableFacts,
    TriggerFacts,
    cool_down_until,
    missing_since,
    sentences,
)

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UPDATED = TableFacts("in.c-a.x", counted=2, used=1, counted_at=NOW, last_heard_at=NOW)
MISSING = TableFacts("in.c-a.y", counted=1, used=1, counted_at=NOW, last_heard_at=NOW)
FACTS = TriggerFacts(tables=[UPDATED, MISSING], created_at=NOW - 60 * MINUTE)
COOLING = replace(FACTS, cool_down=5 * MINUTE, last_started_at=NOW - MINUTE)
FIRED = Fired(
    [FiredTable("in.c-a.x", seq=2, heard_at="2026-11-21T07:50:00Z")], True, NOW - 10 * MINUTE, name="daily #7"
)
BECAUSE = "because 1 of 1 table was updated (in.c-a.x at 2026-11-21T07:50:00Z)."
ALL = replace(FACTS, tables=[UPDATED])


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            FACTS,
            [
                "1 of 2 tables was updated.",
                "Missing: in.c-a.y, since the trigger was created at 2026-11-21T07:00:00Z.",
            ],
        ),
        (
            replace(FACTS, full_run=Since(NOW - MINUTE, "daily #6 (manual) started")),
            [
                "1 of 2 tables was updated.",
                "Missing: in.c-a.y, since daily #6 (manual) started at 2026-11-21T07:59:00Z.",
            ],
        ),
        (
            replace(FACTS, reset_at=NOW, tables=[MISSING]),
            [
                "0 of 1 table was updated.",
                "Missing: in.c-a.y, since the trigger was reset at 2026-11-21T08:00:00Z.",
            ],
        ),
        (
            replace(COOLING, ignored=1),
            [
                "1 update was ignored in the cool-down until 2026-11-21T08:04:00Z.",
                "1 of 2 tables was updated.",
                "Missing: in.c-a.y, since the trigger was created at 2026-11-21T07:00:00Z.",
                "It cools down until 2026-11-21T08:04:00Z; updates until then are ignored.",
            ],
        ),
        (
            replace(COOLING, defers=True, tables=[UPDATED]),
            ["All tables are updated: it will run at 2026-11-21T08:04:00Z, when the cool-down ends."],
        ),
        (
            ALL,
            ["All tables are updated; saving starts nothing, but the next update of one of them will."],
        ),
        (replace(ALL, fired=replace(FIRED, started_at=NOW), tables=[]), [f"started daily #7 {BECAUSE}"]),
        (
            replace(ALL, fired=replace(FIRED, is_over=False)),
            [
                f"requested a run {BECAUSE}",
                "The run daily #7 waits to start; updates heard until then belong to it.",
            ],
        ),
        (
            replace(ALL, fired=replace(FIRED, is_over=False), off=Off("The orchestration daily is disabled")),
            [
                f"requested a run {BECAUSE}",
                "The run daily #7 waits to start; its updates stay with it.",
                "The orchestration daily is disabled; updates are recorded and do not count.",
            ],
        ),
        (
            replace(
                FACTS,
                tables=[MISSING],
                fired=replace(FIRED, ended_at=NOW, why_not="its updates were used by daily #6"),
            ),
            [
                f"requested a run {BECAUSE}",
                "The run daily #7 never started: its updates were used by daily #6.",
                "0 of 1 table was updated.",
                "Missing: in.c-a.y, since the run that waited for its start ended at 2026-11-21T08:00:00Z.",
            ],
        ),
        (
            replace(FACTS, off=Off("The trigger is disabled", NOW, "eva@example.com", "too noisy", 3)),
            [
                "The trigger is disabled since 2026-11-21T08:00:00Z, by eva@example.com (too noisy); "
                "updates are recorded and do not count.",
                "3 updates were heard since then.",
            ],
        ),
    ],
)
def test_every_situation_is_explained_with_its_reason(facts: TriggerFacts, said: list[str]) -> None:
    shown = sentences(facts, NOW)
    if not facts.tables:
        shown = shown[:1]
    assert shown == said


def test_the_cool_down_and_what_is_missing() -> None:
    assert cool_down_until(COOLING, NOW) == NOW + 4 * MINUTE
    assert cool_down_until(COOLING, NOW + 4 * MINUTE) is None
    assert missing_since(FACTS, UPDATED) is None
    added = replace(MISSING, added_at=NOW)
    assert missing_since(FACTS, added) == Since(NOW, "the table was added to the trigger")
