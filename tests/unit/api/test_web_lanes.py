"""Lanes as bars and sentences, and as they would be after a termination."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from orchestrator_api.queue.lanes import InLine, Lane
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.termination_text import Behind
from orchestrator_api.queue.terminations import TerminationPreview
from orchestrator_api.runs.rows import Job
from orchestrator_api.web.jobs.lanes import LaneBar, as_if, drawn, who
from orchestrator_api.web.jobs.queue import in_order
from orchestrator_shared.domain.zones import parse_zone

NOW = datetime(2026, 11, 30, 7, 14, tzinfo=UTC)
ZONE = parse_zone("UTC")
MINUTE = timedelta(minutes=1)


def ref(number: int, started: float | None = None, **more: Any) -> JobRef:
    given: dict[str, Any] = {
        "id": uuid4(),
        "number": number,
        "component": "crm",
        "configuration": "contacts",
        "status": "waiting" if started is None else "processing",
        "origin": "manual",
        "requested_by": None,
        "task_id": None,
        "run_id": None,
        "orchestration": None,
        "run_number": None,
        "accepted_at": NOW - 20 * MINUTE,
        "started_at": None if started is None else NOW - started * MINUTE,
    }
    return JobRef(**{**given, **more})


HOLDER = ref(9, 12, orchestration="nightly-sales", run_number=411)
PETRA, SYNC = ref(10, requested_by="Petra"), ref(11, orchestration="crm-sync", run_number=208)
LANE = Lane(
    component="crm",
    configuration="contacts",
    sentence="2 wait for nightly-sales #411.",
    holder=HOLDER,
    longer_than_usual=False,
    usual_seconds=1020,
    expected_end=NOW + 5 * MINUTE,
    waiting=[InLine(PETRA, 1, NOW + 5 * MINUTE), InLine(SYNC, 2, NOW + 22 * MINUTE)],
    waiting_count=2,
)


def test_a_lane_is_drawn_in_order_and_said_in_words() -> None:
    found = drawn([LANE], NOW, ZONE)
    (row,) = found.rows
    assert [(bar.tone, bar.label) for bar in row.bars] == [
        ("processing", "nightly-sales #411"),
        ("expected", ""),
        ("queue", "Petra"),
        ("queue", "crm-sync #208"),
    ]
    ends = [round(bar.x + bar.width, 1) for bar in row.bars]
    starts = [round(bar.x, 1) for bar in row.bars]
    assert (ends[0], ends[1:3]) == (round(found.now_x, 1), starts[2:4])
    assert ends[-1] == 100
    said = "".join(piece.text for piece in row.said)
    assert said == (
        "2 wait for nightly-sales #411. First Petra, about 07:19 UTC; second crm-sync #208, about 07:36 UTC."
    )
    assert [piece.run for piece in row.said if piece.run] == [HOLDER, SYNC]
    assert (row.note, row.job) == ("2 waiting", HOLDER.id)


def test_a_label_is_as_long_as_there_is_room_for() -> None:
    widths = (0.6, 4, 7, 10, 30)
    assert [LaneBar("queue", 0, width, "nightly-sales #411").text for width in widths] == [
        "",
        "",
        "nightly…",
        "nightly-sal…",
        "nightly-sales #411",
    ]
    assert LaneBar("queue", 0, 4, "Ann").text == "Ann"


def test_what_nobody_can_tell_is_drawn_behind_the_rest() -> None:
    line = [InLine(ref(number), number, None) for number in range(1, 21)]
    lane = replace(LANE, usual_seconds=None, expected_end=None, waiting=line, waiting_count=30)
    (row,) = drawn([lane], NOW, ZONE).rows
    assert all(bar.x + bar.width <= 100 for bar in row.bars)
    said = "".join(piece.text for piece in row.said)
    assert said.endswith("fifth #5, expected start unknown; then 25 more jobs.")


def test_the_usual_length_is_marked_once_it_has_passed() -> None:
    slow = replace(
        LANE, waiting=[], waiting_count=0, usual_seconds=300, longer_than_usual=True, expected_end=NOW
    )
    found = drawn([slow, LANE], NOW, ZONE)
    assert found.rows[0].usual_x is not None
    assert found.rows[0].bars[0].x < found.rows[0].usual_x < found.now_x
    assert (found.rows[0].note, found.rows[1].usual_x) == ("longer than usual", None)


def test_a_job_that_runs_for_days_leaves_room_for_the_others() -> None:
    old = replace(LANE, holder=replace(HOLDER, started_at=NOW - timedelta(days=3)), waiting=[])
    found = drawn([old, LANE], NOW, ZONE)
    assert found.rows[0].bars[0].x == 0
    assert found.now_x > 50


def test_lanes_as_they_would_be_after_a_termination() -> None:
    behind = [Behind(PETRA, NOW + 5 * MINUTE, NOW), Behind(SYNC, NOW + 22 * MINUTE, NOW + 17 * MINUTE)]
    preview = TerminationPreview(HOLDER.id, HOLDER.name, "processing", "", [], [], 0, behind, 2)
    other = replace(LANE, holder=ref(1, 3), waiting=[], waiting_count=0)
    after = drawn([LANE, other], NOW, ZONE, preview)
    assert [row.job for row in after.rows] == [HOLDER.id, other.holder and other.holder.id]
    assert [bar.tone for bar in after.rows[0].bars] == ["queue", "queue"]
    freed, same = as_if([LANE, other], preview)
    assert same is other
    assert (freed.holder, freed.expected_end) == (None, None)
    assert freed.sentence == "Without nightly-sales #411: 2 wait for it."
    assert [each.expected_start for each in freed.waiting] == [NOW, NOW + 17 * MINUTE]
    stops_the_first = replace(preview, job_id=UUID(int=1), stopped=[PETRA], behind=behind[1:])
    (shorter,) = as_if([LANE], stops_the_first)
    assert (shorter.holder, shorter.waiting_count) == (HOLDER, 1)
    assert [(each.job, each.place) for each in shorter.waiting] == [(SYNC, 1)]


def test_a_job_is_called_by_its_run_or_by_who_started_it() -> None:
    assert [who(each) for each in (HOLDER, PETRA, ref(7))] == ["nightly-sales #411", "Petra", "#7"]


def test_what_waits_longest_stands_first_and_runs_stand_last() -> None:
    def job(status: str, minutes: int, kind: str = "component") -> Job:
        component = "orchestrator" if kind == "run" else "crm"
        at = NOW - minutes * MINUTE
        return Job(uuid4(), "p", component, "x", kind, status, "manual", uuid4(), at, at)

    run, working = job("processing", 30, "run"), job("processing", 10)
    new, old = job("created", 1), job("waiting", 5)
    assert in_order([run, working, new, old]) == [old, new, working, run]
