"""What needs attention, decided from rows: when a run takes long, and how it is said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator_api.catalog.rows import OrchestrationCounts
from orchestrator_api.orchestrations.attention import failed, late_runs, missed_schedule
from orchestrator_api.orchestrations.filters import MOST_SHOWN, Count, capped, statuses_of
from orchestrator_api.runs.rows import FailedTask, UnfinishedRun, UnsolvedFailure
from orchestrator_api.schedules.rows import MissedSchedule
from orchestrator_shared.domain.durations import spoken_duration

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
RUN = UUID(int=1)


def unfinished(*, waited: float | None = None, ran: float | None = None, **more: Any) -> UnfinishedRun:
    """A run that has waited, or run, for so many seconds."""
    started_at = None if ran is None else NOW - timedelta(seconds=ran)
    values = {
        "id": RUN,
        "orchestration": "crm-sync",
        "name": "CRM",
        "number": 208,
        "status": "waiting" if ran is None else "processing",
        "accepted_at": NOW - timedelta(seconds=waited or 0),
        "started_at": started_at,
        "runs": 20,
        "waited_seconds": 60.0,
        "ran_seconds": 600.0,
        **more,
    }
    return UnfinishedRun(**values)


@pytest.mark.parametrize(
    ("run", "summary"),
    [
        (unfinished(waited=720), "CRM #208 has waited for 12 min, usually 1 min"),
        (unfinished(waited=299), None),
        (unfinished(waited=720, waited_seconds=601.0), None),
        (unfinished(waited=720, waited_seconds=0.4), "CRM #208 has waited for 12 min, usually 0 s"),
        (unfinished(waited=720, runs=4), None),
        (unfinished(waited=720, waited_seconds=None), None),
        (unfinished(ran=721), "CRM #208 has run for 12 min, usually 10 min"),
        (unfinished(ran=719), None),
        (unfinished(ran=59, ran_seconds=1.0), None),
    ],
)
def test_a_run_is_late_only_beside_what_is_usual(run: UnfinishedRun, summary: str | None) -> None:
    assert [each.summary for each in late_runs([run], NOW)] == ([summary] if summary else [])


def test_a_failure_names_the_task_and_what_it_said() -> None:
    run = UnsolvedFailure(RUN, "campaigns", "Campaigns", 42, NOW, "1 task failed")
    bare = failed(run, {})
    assert (bare.summary, bare.task, bare.message) == ("Campaigns #42 failed", None, "1 task failed")
    task = FailedTask(RUN, "sql/recipient", "Recipient", "column r.opted_in does not exist")
    told = failed(run, {RUN: task})
    assert told.summary == "Campaigns #42 failed in Recipient"
    assert (told.task, told.message) == ("sql/recipient", "column r.opted_in does not exist")


@pytest.mark.parametrize(
    ("fires", "overdue", "summary"),
    [
        (1, False, "schedule mornings of Daily missed its fire at 30 Nov 2026 08:00 Europe/Prague"),
        (3, False, "schedule mornings of Daily missed 3 fires, the last at 30 Nov 2026 08:00 Europe/Prague"),
        (1, True, "schedule mornings of Daily is overdue since 30 Nov 2026 08:00 Europe/Prague"),
    ],
)
def test_a_missed_fire_is_told_in_the_zone_of_its_schedule(fires: int, overdue: bool, summary: str) -> None:
    row = MissedSchedule("daily", "Daily", "mornings", "Europe/Prague", NOW, fires, overdue)
    assert missed_schedule(row).summary == summary


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (41, "41 s"), (413, "6 min 53 s"), (720, "12 min"), (5820, "1 h 37 min"), (7200, "2 h")],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert spoken_duration(seconds) == words


def test_filters_name_statuses_of_the_last_run() -> None:
    assert statuses_of(()) is None
    assert statuses_of(("failed", "running")) == ("error", "processing", "terminating")


def test_counts_end_at_a_thousand() -> None:
    few = capped(OrchestrationCounts(MOST_SHOWN, 7, 0, 0, 0, 0, 0, 0, 0))
    assert (few["total"], few["failed"]) == (Count(MOST_SHOWN, False), Count(7, False))
    many = capped(OrchestrationCounts(MOST_SHOWN + 1, 7, 0, 0, 0, 0, 0, 0, 0))
    assert (many["total"], many["failed"]) == (Count(MOST_SHOWN, True), Count(7, False))
    cut = capped(OrchestrationCounts(10_000, 7, 0, 0, 0, 0, 0, 0, 0))
    assert cut["failed"] == Count(7, True)
