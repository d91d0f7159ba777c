"""Sentences about jobs that wait, and when they are expected to start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator_api.queue.explanation_text import (
    Cause,
    WaitFacts,
    other_sentence,
    waiting_sentence,
    working_sentence,
)
from orchestrator_api.queue.rows import JobRef, Slots
from orchestrator_api.queue.usual import Line, expected_end, expected_start, is_longer_than_usual
from orchestrator_api.queue.words import Times, listed, of_line, ordinal
from orchestrator_shared.domain.zone_data import load_zone

NOW = datetime(2026, 11, 30, 7, 14, tzinfo=UTC)
TIMES = Times(NOW, load_zone("UTC"))
HOLDER = JobRef(
    id=UUID(int=1),
    number=77,
    component="crm-extractor",
    configuration="contacts",
    status="processing",
    origin="parent",
    requested_by=None,
    task_id="contacts",
    run_id=UUID(int=2),
    orchestration="nightly-sales",
    run_number=411,
    accepted_at=NOW - timedelta(minutes=13),
    started_at=NOW - timedelta(minutes=12),
)
BUSY = WaitFacts(
    Cause.CONFIGURATION_BUSY,
    since=NOW - timedelta(minutes=12),
    expected_start=NOW + timedelta(minutes=17),
    place=3,
    length=3,
    holder=HOLDER,
)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (BUSY, "Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC."),
        (
            replace(BUSY, place=1, length=1, expected_start=NOW, holder_is_longer=True),
            "Next, held by nightly-sales #411 since 07:02, which runs longer than usual, expected start now.",
        ),
        (
            replace(BUSY, expected_start=None, place=12, length=30),
            "12th of 30, held by nightly-sales #411 since 07:02, "
            "expected start unknown until it has succeeded 5 times.",
        ),
        (
            replace(BUSY, holder=replace(HOLDER, orchestration=None, started_at=None), place=2, length=2),
            "Second of 2, held by crm-extractor/contacts #77, expected start about 07:31 UTC.",
        ),
        (
            WaitFacts(Cause.NO_FREE_SLOT, NOW, place=1, length=3, slots=Slots(2, 8, 8)),
            "Waits for a free slot: 8 of 8 in use. First of 3 in this project.",
        ),
        (
            WaitFacts(Cause.PROJECT_LIMIT, NOW, place=1, length=1, parallel_limit=4),
            "The project already runs 4 jobs at once, which is its limit. Next in this project.",
        ),
        (
            WaitFacts(
                Cause.NEXT_ATTEMPT_DELAYED,
                NOW,
                expected_start=NOW + timedelta(minutes=5),
                attempt=1,
                max_attempts=3,
            ),
            "Waits between two attempts: attempt 2 of 3 starts about 07:19 UTC.",
        ),
        (
            WaitFacts(Cause.NOT_ACCEPTED, NOW - timedelta(seconds=41)),
            "No runner has accepted it yet, for 41 s.",
        ),
        (WaitFacts(Cause.NO_RUNNER, None), "No runner is connected."),
        (
            WaitFacts(Cause.ABOUT_TO_START, NOW),
            "Nothing holds it up: a runner starts it at any moment.",
        ),
    ],
)
def test_each_cause_has_its_sentence(facts: WaitFacts, sentence: str) -> None:
    assert waiting_sentence(facts, TIMES) == sentence


def test_sentences_of_jobs_that_do_not_wait() -> None:
    started = NOW - timedelta(minutes=12, seconds=5)
    assert (
        working_sentence(started, 1020.0, NOW + timedelta(minutes=5), TIMES)
        == "Running for 12 min, usually 17 min, until about 07:19 UTC."
    )
    assert working_sentence(started, None, None, TIMES) == "Running for 12 min."
    assert other_sentence("error", started, NOW, TIMES) == "It ended with error after 12 min, at 07:14 UTC."
    assert other_sentence("terminating", started, None, TIMES) == "It is being stopped."


def test_times_are_in_the_readers_zone_and_name_other_days() -> None:
    prague = Times(NOW, load_zone("Europe/Prague"))
    assert prague.zoned(NOW) == "08:14 Prague"
    assert prague.at(NOW - timedelta(days=4, minutes=23)) == "Thu 26 Nov 07:51"
    assert prague.at(NOW - timedelta(days=365)) == "Sun 30 Nov 2025 08:14"


def test_small_words() -> None:
    assert [ordinal(n) for n in (1, 3, 10, 11, 12, 13, 21, 22, 103, 111)] == [
        "first", "third", "tenth", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th",
    ]  # fmt: skip
    assert (of_line(1, 1), of_line(1, 2)) == ("next", "first of 2")
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_expected_starts_follow_from_usual_lengths() -> None:
    started = NOW - timedelta(minutes=4)
    line = Line(600.0, is_held=True, holder_started_at=started)
    assert expected_end(line, NOW) == NOW + timedelta(minutes=6)
    starts = [expected_start(line, place, NOW) for place in (1, 2, 3)]
    assert starts == [NOW + timedelta(minutes=minutes) for minutes in (6, 16, 26)]
    overdue = replace(line, holder_started_at=NOW - timedelta(minutes=11))
    assert expected_start(overdue, 1, NOW) == NOW
    assert expected_start(replace(line, is_ending=True), 2, NOW) == NOW + timedelta(minutes=10)
    assert expected_start(Line(600.0, False, None), 2, NOW) == NOW + timedelta(minutes=10)


def test_nothing_is_expected_without_a_usual_length() -> None:
    line = Line(None, is_held=True, holder_started_at=NOW)
    assert expected_start(line, 1, NOW) is None
    assert expected_start(replace(line, is_ending=True), 1, NOW) == NOW
    assert expected_start(replace(line, is_ending=True), 2, NOW) is None
    assert not is_longer_than_usual(line, NOW)


def test_longer_than_usual_is_more_than_a_fifth_over() -> None:
    line = Line(600.0, is_held=True, holder_started_at=NOW - timedelta(minutes=12))
    assert not is_longer_than_usual(line, NOW)
    assert is_longer_than_usual(line, NOW + timedelta(seconds=1))
