"""What the page of a run says, and where it draws its bars."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timeline import Segment, SegmentCause
from orchestrator_api.queue.timelines import TaskTimeline, Timeline
from orchestrator_api.queue.verdict import Verdict
from orchestrator_api.runs.log_lines import LogLine
from orchestrator_api.runs.logs import Found
from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.tasks import RunPhase, RunTask, TaskJob
from orchestrator_api.web.address_parts import whole_number
from orchestrator_api.web.runs.ansi import MOST_CHANGES, MOST_MARKS, line_html
from orchestrator_api.web.runs.log import ShownLog, Wanted, blocks
from orchestrator_api.web.runs.page import removed_at
from orchestrator_api.web.runs.rows import rows_of
from orchestrator_api.web.runs.timeline import Bar, PhaseRows, Row, drawn, rounded_up, ticks
from orchestrator_api.web.runs.words import headline, linked, plain, skipped_as

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
    assert whole_number(text) is None


SHOWN = [
    ("plain <b>", "", "plain &lt;b&gt;"),
    ("\x1b[31mred\x1b[0m end", "", '<span class="o-ansi-31">red</span> end'),
    ("\x1b[1;92mok\x1b[22m\x1b[39m.", "", '<span class="o-ansi-92 o-ansi-bold">ok</span>.'),
    ("\x1b[38;5;31mmany\x1b[48;2;1;32;3m \x1b[7;41mother\x1b[4:31m", "", "many other"),
    ("\x1b[2J\x1b]0;title\x07\x1b[31", "", "31"),
    (
        "a Re\x1b[34mcipient\x1b[m b",
        "recip",
        'a <mark>Re</mark><span class="o-ansi-34"><mark>cip</mark></span>'
        '<span class="o-ansi-34">ient</span> b',
    ),
    ("<a> <A>", "<a>", "<mark>&lt;a&gt;</mark> <mark>&lt;A&gt;</mark>"),
]


@pytest.mark.parametrize(("text", "wanted", "html"), SHOWN)
def test_lines_keep_their_colours_and_nothing_else_that_steers_a_terminal(
    text: str, wanted: str, html: str
) -> None:
    assert line_html(text, wanted) == html


def test_a_line_full_of_colours_or_hits_stays_small() -> None:
    assert line_html("\x1b[31ma\x1b[0m" * 1000).count("<span") <= MOST_CHANGES
    assert line_html("a" * 4096, "a").count("<mark>") == MOST_MARKS


def test_what_is_at_work_shows_when_it_usually_ends() -> None:
    job = TaskJob(UUID(int=1), 1, "processing", at(0), None, 1, None, None, None)
    usual = replace(task("a", "started"), job=job, usual_duration_seconds=120.0)
    late = replace(task("b", "started"), job=replace(job, id=UUID(int=2)), usual_duration_seconds=5.0)
    segment = Segment(at(0), at(30), SegmentCause.RUNNING, attempt=1)
    tasks = [
        TaskTimeline(each.id, each.id, 0, "processing", UUID(int=1), True, [segment], {})
        for each in (usual, late)
    ]
    verdict = Verdict("", 0, 30, [])
    timeline = Timeline(UUID(int=1), "processing", at(0), None, verdict, [], {}, tasks, [])
    phase = RunPhase(0, "Load", at(0), None, [usual, late])
    shown = drawn(timeline, [phase], at(30), PRAGUE, expected_end=at(60))
    (first, second) = shown.phases[0].rows
    assert [(bar.tone, bar.x, bar.width) for bar in first.bars] == [
        ("processing", 0.0, 25.0),
        ("expected", 25.0, 75.0),
    ]
    assert first.bars[1].label == "usually 1 min 30 s more"
    assert [bar.tone for bar in second.bars] == ["processing"]
    over = drawn(replace(timeline, end=at(30)), [phase], at(30), PRAGUE, expected_end=at(60))
    assert [bar.tone for bar in over.phases[0].rows[0].bars] == ["processing"]


def test_the_rows_of_a_phase_are_escaped_and_have_a_key_of_their_own() -> None:
    evil = '"><script>alert(1)</script>'
    row = Row([Bar("success", 0.0, 9.0, False, evil)], evil, task(evil, "success"), "success", 9.0, 0.0)
    looks = {"success": "<i></i>", "error": "<b></b>"}
    rows = rows_of(PhaseRows(evil, 9.0, [row]), 1, looks, {}, "/p", None)
    assert "<script" not in rows.html
    assert rows.html.count("&lt;script&gt;") == 6
    again = rows_of(PhaseRows(evil, 9.0, [row]), 1, looks, {}, "/p", None)
    failed = rows_of(PhaseRows(evil, 9.0, [replace(row, status="error")]), 1, looks, {}, "/p", None)
    assert rows.key == again.key != failed.key


def test_the_time_axis_grows_in_steps() -> None:
    assert [rounded_up(seconds) for seconds in (30, 31.5, 120, 121, 3600)] == [30, 32, 120, 124, 3712]


def test_a_page_has_the_blocks_of_a_hundred_thousand_lines() -> None:
    lines = dict.fromkeys(range(89001, 90001), "")
    shown = blocks(250_300, lines, 89_950)
    assert (shown[0].first, shown[-1].last, len(shown)) == (1, 100_000, 100)
    assert [block.first for block in shown if block.html is not None] == [89_001]
    last = blocks(250_300, {}, None)
    assert (last[0].first, last[-1].first, last[-1].last, last[-1].height) == (200_001, 250_001, 250_300, 300)
    assert blocks(0, {}, None) == []
    assert [(block.first, block.last, block.height) for block in blocks(7, {}, 4711)] == [(1, 7, 50)]


def test_the_line_found_is_the_one_that_the_address_names() -> None:
    hits = [LogLine(number, at(0), 1, "stdout", "x") for number in (3, 40, 41)]

    def log(query: str) -> ShownLog:
        wanted = Wanted.read(QueryParams(query))
        return ShownLog(UUID(int=1), {"task": "a b"}, wanted, found=Found(hits, None))

    assert [
        log(query).hit for query in ("q=x", "q=x&line=4", "q=x&hit=3&line=1", "q=x&hit=9", "q=x&line=99")
    ] == [1, 2, 3, 3, 1]
    assert log("q=x&hit=3").to_hit(1) == "?task=a+b&q=x&hit=1&line=3#L3"
    assert log("q=x").to_hit(-1) == "?task=a+b&q=x&hit=3&line=41#L41"
    assert log("q=x&wrap=1").other_wrap == "?task=a+b&q=x"


def test_a_log_that_is_no_longer_kept_says_since_when() -> None:
    job = TaskJob(UUID(int=1), 1, "success", at(0), at(60), 1, None, None, None)
    ended = replace(task("a", "success"), job=job)
    assert removed_at(ended, at(60) + timedelta(days=29), 30) is None
    assert removed_at(ended, at(60) + timedelta(days=31), 30) == at(60) + timedelta(days=30)
    assert (
        removed_at(replace(ended, job=replace(job, finished_at=None)), at(0) + timedelta(days=99), 30) is None
    )
    assert removed_at(None, at(0), 30) is None


@pytest.mark.parametrize(("selection", "label"), [(None, "Inactive"), (("other",), "Not selected")])
def test_a_skipped_task_was_inactive_or_not_selected(selection: tuple[str, ...] | None, label: str) -> None:
    verdict = Verdict("", 0, 0, [])
    timeline = Timeline(UUID(int=1), "success", BEGIN, at(100), verdict, [], {}, [], [])
    skipped = skipped_as(replace(run("success"), selection=selection))
    (row,) = drawn(timeline, phases("skipped"), at(100), PRAGUE, skipped=skipped).phases[0].rows
    assert row.sentence == label
