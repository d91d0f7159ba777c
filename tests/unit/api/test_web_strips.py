"""The strip of the last runs says the same in bars and in words."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from orchestrator_api.runs.rows import LastRun
from orchestrator_api.web.statuses import STATUSES
from orchestrator_api.web.strips import FLOOR, MOST_BARS, STEP, TALLEST, strip_of
from orchestrator_shared.domain.statuses import JobStatus

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)


def ran(number: int, status: str, seconds: float | None = 60) -> LastRun:
    started = NOW - timedelta(hours=1) if seconds is not None else None
    is_over = started is not None and status not in ("processing", "terminating")
    finished = started + timedelta(seconds=seconds or 0) if is_over and started else None
    return LastRun("daily", UUID(int=number), number, status, "manual", NOW, started, finished)


def test_the_newest_run_stands_on_the_right_and_the_longest_is_tallest() -> None:
    strip = strip_of([ran(3, "error", 900), ran(2, "success", 9), ran(1, "warning", 100)], NOW)
    assert [bar.x for bar in strip.bars] == [place * STEP for place in (17, 18, 19)]
    assert [bar.mark for bar in strip.bars] == ["warning", "", "error"]
    low, short, tall = (bar.height for bar in strip.bars)
    assert short < low < tall == TALLEST
    assert all(bar.y + bar.height == FLOOR for bar in strip.bars)
    assert strip.sentence == "Last 3 runs: 1 warning, 1 success, 1 error"


def test_what_runs_is_open_and_what_never_started_is_lowest() -> None:
    strip = strip_of([ran(3, "waiting", None), ran(2, "processing", 5), ran(1, "cancelled", None)], NOW)
    assert [bar.is_open for bar in strip.bars] == [False, True, True]
    assert strip.bars[0].height == strip.bars[2].height < strip.bars[1].height


def test_no_run_and_more_than_fit() -> None:
    assert strip_of([], NOW).sentence == "No run yet"
    assert strip_of([ran(1, "success")], NOW).sentence == "Last run: 1 success"
    strip = strip_of([ran(number, "success") for number in range(30, 0, -1)], NOW)
    assert len(strip.bars) == MOST_BARS
    assert strip.bars[0].x == 0


def test_every_status_of_a_job_has_a_look() -> None:
    assert {status.value for status in JobStatus} <= set(STATUSES)
    titles = [STATUSES[status.value].title for status in JobStatus if status.value != "ready"]
    assert len(set(titles)) == len(titles), "each has a sign of its own"
