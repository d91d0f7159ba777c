"""Waiting by cause, from the times that are stored."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator_api.runs.job_times import Attempt, Moments, Waits, expected_end, wait_spans, waits_of


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 21, 8, tzinfo=UTC) + timedelta(seconds=seconds)


def maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else at(seconds)


def moments(
    *attempts: tuple[float, float | None],
    ready: float | None = None,
    due: float = 1,
    finished: float | None = None,
    waiting: bool = False,
    started: float | None = None,
) -> Moments:
    """Requested at 0, accepted at 1."""
    first = attempts[0][0] if attempts else started
    made = tuple(Attempt(at(start), maybe(end)) for start, end in attempts)
    return Moments(at(0), at(1), at(due), maybe(ready), maybe(first), maybe(finished), made, waiting)


NOW = 100


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        # accepted at 1, its configuration free at 5, a slot at 7
        (moments((7, 20), ready=5, finished=20), (1, 4, 0, 2, 0)),
        # the same for a run, which has no rows of attempts
        (moments(ready=5, started=7, finished=20), (1, 4, 0, 2, 0)),
        # still behind another job; ready and without a slot
        (moments(waiting=True), (1, 99, 0, 0, 0)),
        (moments(waiting=True, ready=40), (1, 39, 0, 60, 0)),
        # another attempt of a nested run is a run of its own: due at 60, then behind another one
        (moments(due=60, waiting=True), (1, 40, 59, 0, 0)),
        # cancelled while waiting
        (moments(finished=31), (1, 30, 0, 0, 0)),
        # a second attempt, due 10 s after the first; then 3 s behind another job and 2 s for a slot
        (moments((7, 20), (35, 50), due=30, ready=33, finished=50), (1, 3, 10, 2, 6)),
        # three attempts: of the delay in the middle only the length is known
        (moments((7, 20), (25, 30), (40, 50), due=38, ready=39, finished=50), (1, 1, 13, 1, 6)),
        # between two attempts right now: before and after the delay's end
        (moments((7, 20), due=150, waiting=True), (1, 0, 80, 0, 6)),
        (moments((7, 20), due=60, waiting=True), (1, 40, 40, 0, 6)),
        # a lost attempt has no end of its own
        (moments((7, None), (35, 50), due=1, ready=33, finished=50), (1, 0, 0, 0, 6)),
    ],
)
def test_waits_by_cause(job: Moments, expected: tuple[float, ...]) -> None:
    waits = waits_of(job, at(NOW))
    found = (
        waits.acceptance_seconds,
        waits.configuration_busy_seconds,
        waits.delay_seconds,
        waits.slot_or_limit_seconds,
        waits.undivided_seconds,
    )
    assert found == expected
    assert waits.total_seconds == sum(expected)


def test_request_that_nobody_accepted() -> None:
    job = Moments(at(0), None, None, None, None, None)
    assert waits_of(job, at(NOW)) == Waits(total_seconds=100, acceptance_seconds=100)


def test_expected_end_only_while_processing() -> None:
    assert expected_end("processing", at(0), 30.0) == at(30)
    for status, started, usual in (
        ("success", at(0), 30.0),
        ("waiting", None, 30.0),
        ("processing", at(0), None),
    ):
        assert expected_end(status, started, usual) is None


def test_recorded_attempts_tell_their_waits_apart() -> None:
    """Runners since migration 0056 record when each attempt was due and got its lane."""
    made = (
        Attempt(at(7), at(20), at(1), at(5)),
        Attempt(at(26), at(30), at(22), at(25)),
        Attempt(at(40), at(50), at(38), at(39)),
    )
    job = Moments(at(0), at(1), at(38), at(39), at(7), at(50), made)
    spans = [(span.cause.value, span.begin, span.end) for span in wait_spans(job, at(NOW))]
    assert spans == [
        ("acceptance", at(0), at(1)),
        ("configuration_busy", at(1), at(5)),
        ("slot_or_limit", at(5), at(7)),
        ("delay", at(20), at(22)),
        ("configuration_busy", at(22), at(25)),
        ("slot_or_limit", at(25), at(26)),
        ("delay", at(30), at(38)),
        ("configuration_busy", at(38), at(39)),
        ("slot_or_limit", at(39), at(40)),
    ]


def test_a_job_stopped_between_two_attempts_waited_for_what_its_attempts_recorded() -> None:
    job = Moments(at(0), at(1), at(90), None, at(7), at(60), (Attempt(at(7), at(20), at(1), at(5)),))
    assert waits_of(job, at(NOW)).configuration_busy_seconds == 4
