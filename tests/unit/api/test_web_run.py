"""What the page of a run says, and where it draws its bars."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timeline import Segment, SegmentCause
from orchestrator_api.queue.timelines import TaskTimeline, Timeline
from orchestrator_api.queue.verdict import Verdict
from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web.runs.log import line_number
from orchestrator_api.web.runs.timeline import drawn, ticks
from orchestrator_api.web.runs.words import headline, linked, plain

BEGIN = datetime(2026, 11, 30, 4, 30, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def task(name: str, status: str) -> RunTask:
    return RunTask(name, name, "demo-extractor", name, status, False, None)


def phases(*statuses: str) -> list[RunPhase]:
    """Each with one task."""
    return [
        RunPhase(index, f"Phase {index}", at(0), at(9), [task(f"t{index}", status)])
        for index, status in enumerate(statuses)
    ]


def run(status: str, *, ended: bool = True) -> Job:
    one, finished = UUID(int=1), at(413) if ended else None
    return Job(
        id=one,
        project="p",
        component="orchestrator",
        configuration="daily",
        kind="run",
        status=status,
        origin="api",
        root_id=one,
        scheduled_for=BEGIN,
        requested_at=BEGIN,
        started_at=BEGIN,
        finished_at=finished,
    )


def ref(number: int, name: str = "crm-sync") -> JobRef:
    one, target = UUID(int=number), ("orchestrator", name)
    return JobRef(one, number, *target, "success", "api", None, None, one, name, number, BEGIN, BEGIN)


def test_one_sentence_says_how_it_ended() -> None:
    failed = headline(run("error"), phases("success", "success", "error", "not_executed"), "")
    assert (failed.before, failed.at) == ("Failed", at(413))
    assert failed.after == " in phase 3 of 4. 1 of 4 tasks was not executed."
    assert headline(run("success"), phases("success"), "").after == ", after 6 min 53 s."
    working = headline(run("processing", ended=False), phases("success", "pending"), "Running for 2 min.")
    assert working.before == "Running for 2 min. 1 of 2 tasks ended."


def test_runs_that_a_sentence_names_are_links() -> None:
    pieces = linked("It waited for crm-sync #20, and for crm-sync #207; it ran.", [ref(20), ref(207)])
    assert (
        "".join(piece.text for piece in pieces)
        == "It waited for crm-sync #20, and for crm-sync #207; it ran."
    )
    assert [(piece.text, piece.run.number) for piece in pieces if piece.run] == [
        ("crm-sync #20", 20),
        ("crm-sync #207", 207),
    ]
    assert [piece.run for piece in linked("It waited for crm-sync #2071.", [ref(207)])] == [None]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("50 %\r100 %", "50 %\n100 %"),
        ("a\x00b\x07\tc\x1b", "ab\tc"),
        ("abc\u202edef", "abcdef"),
        ("ř 日本 ✖", "ř 日本 ✖"),
    ],
)
def test_lines_lose_what_steers_a_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_bars_and_words_have_the_same_parts() -> None:
    busy, ran = SegmentCause.CONFIGURATION_BUSY, SegmentCause.RUNNING
    segments = [
        Segment(at(0), at(10), SegmentCause.EARLIER_PHASE),
        Segment(at(10), at(35), busy, holder_id=UUID(int=207)),
        Segment(at(35), at(35.001), SegmentCause.SLOT_OR_LIMIT),
        Segment(at(35), at(40), ran, attempt=1, outcome="error"),
        Segment(at(40), at(60), SegmentCause.DELAY),
        Segment(at(60), at(100), ran, attempt=2, outcome="success"),
    ]
    found = TaskTimeline("t0", "t0", 0, "success", UUID(int=9), True, segments, {})
    verdict = Verdict("", 0, 0, [])
    timeline = Timeline(UUID(int=1), "success", BEGIN, at(100), verdict, [], {}, [found], [ref(207)])
    ((row,),) = (phase.rows for phase in drawn(timeline, phases("success"), at(500), PRAGUE).phases)
    assert [(bar.tone, bar.x, bar.width) for bar in row.bars] == [
        ("waiting", 10, 25),
        ("error", 35, 5),
        ("delay", 40, 20),
        ("success", 60, 40),
    ]
    assert row.sentence == (
        "Waited 25 s for crm-sync #207, attempt 1 failed after 5 s, waited 20 s between attempts, ran 40 s,"
        " success"
    )
    assert row.ran_seconds == 45


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0, []),
        (7, [f"05:30:0{second}" for second in range(7)]),
        (413, [f"05:3{minute}" for minute in range(7)]),
        (3 * 86400, ["12:00", "1 Dec", "12:00", "2 Dec"]),
    ],
)
def test_ticks_are_round_times_of_the_viewer(seconds: int, labels: list[str]) -> None:
    found = [label for _, label in ticks(BEGIN, at(seconds), PRAGUE)]
    assert found[: len(labels)] == labels
    assert len(found) <= 9


def test_the_longest_run_has_few_ticks() -> None:
    assert len(ticks(BEGIN, at(400 * 86400), PRAGUE)) <= 9


@pytest.mark.parametrize("text", [None, "", "0", "-1", "x", "1.5", "٣", "9" * 17, "9" * 5000])
def test_what_is_no_number_of_a_line(text: str | None) -> None:
    assert line_number(text) is None
