"""Waits of a run's jobs by cause and holder, and the sentence about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator_api.queue.rows import Held, JobRef, TimelineAttempt, TimelineJob
from orchestrator_api.queue.timeline import (
    NEAR,
    Segment,
    SegmentCause,
    Wait,
    by_holder,
    near,
    seconds_by_cause,
    segments_of,
    task_segments,
    waits_in,
    waits_on,
)
from orchestrator_api.queue.verdict import judge
from orchestrator_api.runs.job_times import WaitCause, WaitSpan

BUSY, DELAY, SLOT = SegmentCause.CONFIGURATION_BUSY, SegmentCause.DELAY, SegmentCause.SLOT_OR_LIMIT
RUN, ONE, TWO = UUID(int=1), UUID(int=2), UUID(int=3)


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 30, 5, 30, tzinfo=UTC) + timedelta(seconds=seconds)


JOB = TimelineJob(
    id=UUID(int=9),
    parent_id=RUN,
    task_id="out",
    status="success",
    component="csv-writer",
    configuration="out",
    requested_at=at(0),
    accepted_at=at(0),
    due_at=at(0),
    ready_at=at(60),
    started_at=at(64),
    finished_at=at(100),
    is_on_path=True,
)
HOLDER = JobRef(
    id=ONE,
    number=11,
    component="csv-writer",
    configuration="out",
    status="success",
    origin="parent",
    requested_by=None,
    task_id="export",
    run_id=UUID(int=8),
    orchestration="nightly-sales",
    run_number=411,
    accepted_at=at(-9),
    started_at=at(-9),
)


def busy(begin: float, end: float, holder: UUID | None) -> Segment:
    return Segment(at(begin), at(end), BUSY, holder)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        # one holder since before the wait; the lane was handed over 0.1 s before it was free
        ([Held(1, ONE, at(-9), at(59.9))], [busy(0, 60, ONE)]),
        # two, one after the other; a moment between them belongs to the second
        (
            [Held(1, ONE, at(-9), at(20)), Held(1, TWO, at(20.2), None)],
            [busy(0, 20, ONE), busy(20, 60, TWO)],
        ),
        # the first one is no longer known: nothing is invented
        ([Held(1, TWO, at(20), at(60))], [busy(0, 20, None), busy(20, 60, TWO)]),
        ([Held(1, ONE, at(0), at(30))], [busy(0, 30, ONE), busy(30, 60, None)]),
        ([], [busy(0, 60, None)]),
        # what overlaps by attempts recorded less exactly is counted once
        (
            [Held(1, ONE, at(-9), at(40)), Held(1, TWO, at(10), at(60))],
            [busy(0, 40, ONE), busy(40, 60, TWO)],
        ),
    ],
)
def test_a_wait_is_divided_among_its_holders(held: list[Held], expected: list[Segment]) -> None:
    assert by_holder(WaitSpan(at(0), at(60), WaitCause.CONFIGURATION_BUSY), held) == expected


def test_segments_of_a_job_with_two_attempts_are_in_order() -> None:
    attempts = [
        TimelineAttempt(JOB.id, 1, at(0), at(0), at(0), at(10), "error"),
        TimelineAttempt(JOB.id, 2, at(40), at(60), at(64), at(100), "success"),
    ]
    waits = waits_in(JOB, attempts, at(200))
    held = {at(40): [Held(1, ONE, at(15), at(60))]}
    segments = segments_of(JOB, attempts, waits, held, at(200))
    assert [(each.cause.value, each.begin, each.end, each.holder_id, each.outcome) for each in segments] == [
        ("running", at(0), at(10), None, "error"),
        ("delay", at(10), at(40), None, None),
        ("configuration_busy", at(40), at(60), ONE, None),
        ("slot_or_limit", at(60), at(64), None, None),
        ("running", at(64), at(100), None, "success"),
    ]
    assert seconds_by_cause(segments) == {
        "running": 46.0,
        "delay": 30.0,
        "configuration_busy": 20.0,
        "slot_or_limit": 4.0,
    }


def test_what_is_not_over_ends_now() -> None:
    job = replace(JOB, status="processing", finished_at=None)
    attempts = [
        TimelineAttempt(JOB.id, 1, at(0), at(60), at(64), None, None),  # lost: nobody knows when it ended
        TimelineAttempt(JOB.id, 2, at(70), at(70), at(80), None, None),
    ]
    segments = segments_of(job, attempts, [], {}, at(90))
    assert [(each.begin, each.end, each.attempt) for each in segments] == [(at(80), at(90), 2)]
    waiting = replace(JOB, status="waiting", ready_at=None, started_at=None, finished_at=None)
    (wait,) = waits_in(waiting, [], at(90))
    assert (wait.cause, wait.end) == (WaitCause.CONFIGURATION_BUSY, at(90))


def test_tasks_wait_for_earlier_phases() -> None:
    own = [Segment(at(50), at(70), SegmentCause.RUNNING)]
    earlier = Segment(at(10), at(50), SegmentCause.EARLIER_PHASE)
    assert task_segments(at(10), [own], None) == [earlier, *own]
    assert task_segments(at(10), [], at(50)) == [earlier]
    assert task_segments(at(10), [], None) == []
    assert task_segments(at(50), [own], None) == own


def test_waits_of_the_path_add_up_by_cause_and_holder() -> None:
    slot = Segment(at(0), at(2), SLOT)
    ran = Segment(at(2), at(50), SegmentCause.RUNNING)
    other = replace(JOB, configuration="in")
    found = waits_on([(JOB, [busy(0, 30, ONE), slot, ran]), (other, [slot, busy(2, 3, ONE)])])
    assert found == [
        Wait(BUSY, 30.0, ONE, "csv-writer/out"),
        Wait(SLOT, 4.0),
        Wait(BUSY, 1.0, ONE, "csv-writer/in"),
    ]


def said(elapsed: float, *waits: Wait, started: bool = True, over: bool = True) -> str:
    own = replace(HOLDER, id=TWO, run_id=RUN)
    verdict = judge(
        elapsed,
        waits,
        {ONE: HOLDER, TWO: own},
        run_id=RUN,
        has_started=started,
        is_over=over,
    )
    assert verdict.waited_seconds + verdict.ran_seconds == pytest.approx(elapsed)
    return verdict.sentence


def test_the_verdict_names_the_holder() -> None:
    wait = Wait(BUSY, 2460.0, ONE, "csv-writer/out")
    assert (
        said(2460 + 413, wait)
        == "It waited 41 min for nightly-sales #411, which held csv-writer/out; it ran 6 min 53 s."
    )
    assert (
        said(500, Wait(BUSY, 125.0, ONE, "csv-writer/out"), Wait(SLOT, 14.0), Wait(DELAY, 0.2))
        == "It waited 2 min 19 s: 2 min 5 s for nightly-sales #411, which held csv-writer/out, "
        "and 14 s for a free slot; it ran 6 min 1 s."
    )


def test_the_verdict_of_other_waits() -> None:
    assert said(60) == "It ran 1 min and waited for nothing."
    assert said(60, over=False) == "It has run 1 min so far and waited for nothing."
    assert said(0.25, Wait(SLOT, 0.04)) == "It ran 0.2 s and waited for nothing."
    assert (
        said(60, Wait(BUSY, 30.0, ONE, "orchestrator/campaigns"))
        == "It waited 30 s for nightly-sales #411 to end; it ran 30 s."
    )
    assert (
        said(60, Wait(BUSY, 30.0, TWO, "csv-writer/out"))
        == "It waited 30 s for its own task export, which held csv-writer/out; it ran 30 s."
    )
    assert (
        said(60, Wait(BUSY, 60.0, None, "csv-writer/out"), started=False, over=False)
        == "It has waited 1 min for csv-writer/out, which another job held; it has not started yet."
    )
    many = [Wait(SLOT, 40.0), Wait(DELAY, 30.0), Wait(SegmentCause.ACCEPTANCE, 20.0)]
    many.append(Wait(SegmentCause.UNDIVIDED, 10.0))
    assert (
        said(200, *many)
        == "It waited 1 min 40 s: 40 s for a free slot, 30 s between attempts, and 30 s for other reasons; "
        "it ran 1 min 40 s."
    )


def test_every_cause_of_a_wait_can_be_said() -> None:
    for cause in SegmentCause:
        if cause not in (SegmentCause.RUNNING, SegmentCause.EARLIER_PHASE):
            assert said(60, Wait(cause, 30.0)).startswith("It waited 30 s ")


def test_the_waits_of_a_run_share_how_many_holders_are_looked_for() -> None:
    assert [near(waits) for waits in (1, 200, 5_000, 1_000_000)] == [NEAR, 50, 2, 1]
