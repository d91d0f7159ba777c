"""What becomes of due fires: the rules one by one, and every fire decided once in any history."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_scheduler.domain import evaluation as module
from orchestrator_scheduler.domain.evaluation import (
    MOST_AT_ONCE,
    DecidedFire,
    Definition,
    Evaluation,
    Known,
    Limits,
    Misfire,
    Outcome,
    Planned,
    evaluate_due,
)
from orchestrator_shared.domain.cron import Cron, parse_zone
from orchestrator_shared.domain.ids import ScheduleId
from orchestrator_shared.domain.statuses import OverlapPolicy

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LIMITS = Limits(grace=MINUTE, fire_all=3)


def hourly(**changes: Any) -> Definition:
    plain = Definition(
        id=ScheduleId(UUID(int=1)),
        project="demo",
        orchestration="campaigns",
        name="hourly",
        version=1,
        enabled=True,
        updated_at=NOON,
        timing=Cron.parse("0 * * * *"),
        zone=parse_zone("UTC"),
        overlap=OverlapPolicy.ONE_WAITING,
        misfire=Misfire.FIRE_ONCE,
        catch_up=24 * HOUR,
    )
    return replace(plain, **changes)


def known(definition: Definition, at: datetime = NOON) -> Known:
    """What is known of it after it was saved at this time."""
    return evaluate_due(None, replace(definition, updated_at=at), at, LIMITS).known


def outcomes(evaluation: Evaluation) -> list[tuple[int, str]]:
    """The hour and the outcome of each fire, hours counted on from noon of the first day."""
    return [((item.fire.at - NOON) // HOUR, item.outcome.value) for item in evaluation.decided]


def test_a_new_schedule_fires_after_it_was_saved() -> None:
    evaluation = evaluate_due(None, hourly(), NOON + MINUTE, LIMITS)
    assert evaluation.decided == []
    assert evaluation.known.next == Planned(NOON + HOUR, "2026-11-21T13:00:00Z")


def test_a_fire_is_requested_when_due_and_the_next_follows() -> None:
    evaluation = evaluate_due(known(hourly()), hourly(), NOON + HOUR + SECOND, LIMITS)
    assert outcomes(evaluation) == [(1, "requested")]
    assert evaluation.known.next is not None
    assert evaluation.known.next.at == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [
        (Misfire.FIRE_ONCE, "missed missed missed missed requested"),
        (Misfire.SKIP, "missed missed missed missed missed"),
        (Misfire.FIRE_ALL, "missed missed requested requested requested"),
    ],
)
def test_missed_fires_are_made_up_according_to_the_policy(misfire: Misfire, expected: str) -> None:
    definition = hourly(misfire=misfire)
    evaluation = evaluate_due(known(definition), definition, NOON + 5 * HOUR + 30 * MINUTE, LIMITS)
    assert [outcome for _, outcome in outcomes(evaluation)] == expected.split()


def test_a_punctual_fire_stands_for_the_missed_ones_before_it() -> None:
    evaluation = evaluate_due(known(hourly()), hourly(), NOON + 3 * HOUR + 30 * SECOND, LIMITS)
    assert outcomes(evaluation) == [(1, "missed"), (2, "missed"), (3, "requested")]


def test_nothing_older_than_the_window_is_made_up() -> None:
    definition = hourly(catch_up=10 * MINUTE)
    assert outcomes(evaluate_due(known(definition), definition, NOON + HOUR + 11 * MINUTE, LIMITS)) == [
        (1, "missed")
    ]
    assert outcomes(evaluate_due(known(definition), definition, NOON + HOUR + 9 * MINUTE, LIMITS)) == [
        (1, "requested")
    ]


def test_fires_while_disabled_are_recorded_and_enabling_starts_nothing() -> None:
    off = hourly(enabled=False)
    evaluation = evaluate_due(known(off), off, NOON + HOUR, LIMITS)
    assert outcomes(evaluation) == [(1, "disabled")]
    by_its_own_switch = hourly(version=2, updated_at=NOON + 3 * HOUR + MINUTE)
    assert outcomes(evaluate_due(evaluation.known, by_its_own_switch, NOON + 4 * HOUR + SECOND, LIMITS)) == [
        (2, "disabled"),
        (3, "disabled"),
        (4, "requested"),
    ]
    by_the_orchestrations = hourly()
    assert outcomes(evaluate_due(evaluation.known, by_the_orchestrations, NOON + 3 * HOUR, LIMITS)) == [
        (2, "disabled"),
        (3, "disabled"),
    ]


def test_a_new_timing_supersedes_a_due_fire_and_counts_from_its_save() -> None:
    at_half_past = hourly(version=2, timing=Cron.parse("30 * * * *"), updated_at=NOON + HOUR + SECOND)
    evaluation = evaluate_due(known(hourly()), at_half_past, NOON + HOUR + 2 * SECOND, LIMITS)
    assert outcomes(evaluation) == [(1, "superseded")]
    assert evaluation.known.next is not None
    assert evaluation.known.next.at == NOON + HOUR + 30 * MINUTE
    earlier = hourly(version=2, timing=Cron.parse("15 * * * *"), updated_at=NOON + 20 * MINUTE)
    assert evaluate_due(known(hourly()), earlier, NOON + 21 * MINUTE, LIMITS).decided == []


@pytest.mark.parametrize("timing", [Cron.parse("0 * * * *"), 3600])
def test_editing_something_else_keeps_the_fire(timing: Cron | int) -> None:
    definition = hourly(timing=timing)
    edited = replace(definition, version=2, overlap=OverlapPolicy.SKIP, updated_at=NOON + HOUR + 10 * SECOND)
    evaluation = evaluate_due(known(definition), edited, NOON + HOUR + 20 * SECOND, LIMITS)
    assert outcomes(evaluation) == [(1, "requested")]
    assert evaluation.known.version == 2


def test_an_interval_is_counted_from_the_save_and_keeps_its_phase() -> None:
    definition = hourly(timing=45 * 60, updated_at=NOON + timedelta(seconds=7, microseconds=5))
    state: Known | None = None
    seen = []
    for minutes in range(0, 400, 7):
        evaluation = evaluate_due(state, definition, NOON + minutes * MINUTE + 10 * SECOND, LIMITS)
        state = evaluation.known
        seen += [item.fire.at for item in evaluation.decided]
    assert seen == [NOON + 7 * SECOND + n * 45 * MINUTE for n in range(1, len(seen) + 1)]
    assert len(seen) == 8


def test_wall_times_of_different_zones_are_distinguished() -> None:
    prague = hourly(timing=Cron.parse("30 13 * * *"), zone=parse_zone("Europe/Prague"))
    first = known(prague).next
    assert first == Planned(NOON + 30 * MINUTE, "2026-11-21T13:30[Europe/Prague]")
    fired = evaluate_due(known(prague), prague, NOON + 30 * MINUTE, LIMITS).known
    utc = replace(prague, version=2, zone=parse_zone("UTC"), updated_at=NOON + 40 * MINUTE)
    again = evaluate_due(fired, utc, NOON + 41 * MINUTE, LIMITS).known.next
    assert again == Planned(NOON + 90 * MINUTE, "2026-11-21T13:30[UTC]")


def test_a_schedule_far_behind_is_evaluated_in_parts_and_made_up_once() -> None:
    definition = hourly(timing=Cron.parse("* * * * *"))
    now = NOON + (MOST_AT_ONCE + 200) * MINUTE + 30 * SECOND
    limits = replace(LIMITS, grace=SECOND)
    first = evaluate_due(known(definition), definition, now, limits)
    assert (len(first.decided), first.requested) == (MOST_AT_ONCE, [])
    second = evaluate_due(first.known, definition, now, limits)
    assert [fire.at for fire in second.requested] == [now - 30 * SECOND]
    assert len(second.decided) == 200


HUNDRED = Limits(grace=MINUTE, fire_all=100)


def decided_to_the_end(
    state: Known, definition: Definition, now: datetime, limits: Limits
) -> list[DecidedFire]:
    """Evaluation after evaluation, as the scheduler goes on while a fire is due."""
    decided: list[DecidedFire] = []
    while state.next is not None and state.next.at <= now:
        evaluation = evaluate_due(state, definition, now, limits)
        assert len(evaluation.decided) <= module.MOST_AT_ONCE
        decided += evaluation.decided
        state = evaluation.known
    assert (state.version, state.enabled) == (definition.version, definition.enabled)
    return decided


@pytest.mark.parametrize("missed", [99, 999, 1000, 1001, 1005, 1100, 1101, 2345])
@pytest.mark.parametrize(("misfire", "most"), [(Misfire.FIRE_ALL, 100), (Misfire.FIRE_ONCE, 1)])
def test_after_a_long_downtime_the_newest_are_made_up(missed: int, misfire: Misfire, most: int) -> None:
    """Issue 8, number 22: of 1,005 missed minutes 5 were made up, of exactly 1,000 none."""
    definition = hourly(timing=Cron.parse("* * * * *"), misfire=misfire, catch_up=72 * HOUR)
    now = NOON + (missed + 1) * MINUTE + SECOND  # the newest fire is not punctual any more
    decided = decided_to_the_end(known(definition), definition, now, replace(HUNDRED, grace=SECOND / 2))
    chosen = [item.outcome is Outcome.REQUESTED for item in decided]
    assert chosen == [False] * (missed + 1 - min(most, missed + 1)) + [True] * min(most, missed + 1)


def test_what_passed_while_disabled_is_not_made_up_however_much_it_is() -> None:
    """Issue 8, number 22: the second thousand had forgotten that the schedule was disabled."""
    off = hourly(timing=Cron.parse("* * * * *"), misfire=Misfire.FIRE_ALL, enabled=False)
    on = replace(off, enabled=True, version=2, updated_at=NOON + 1500 * MINUTE + SECOND)
    decided = decided_to_the_end(known(off), on, NOON + 1510 * MINUTE + SECOND, HUNDRED)
    assert [item.outcome for item in decided] == [Outcome.DISABLED] * 1500 + [Outcome.REQUESTED] * 10


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    due=st.integers(0, 60),
    late_by=st.integers(0, 59),
    catch_up=st.integers(0, 60),
    grace=st.integers(1, 5),
    fire_all=st.integers(0, 9),
    misfire=st.sampled_from(list(Misfire)),
    most_at_once=st.integers(1, 20),
)
def test_parts_decide_what_the_whole_would(
    due: int, late_by: int, catch_up: int, grace: int, fire_all: int, misfire: Misfire, most_at_once: int
) -> None:
    """Issue 8, number 22: in how many evaluations a downtime is worked off changes no outcome."""
    definition = hourly(
        timing=Cron.parse("* * * * *"), misfire=misfire, catch_up=catch_up * MINUTE, updated_at=NOON
    )
    now, limits = NOON + due * MINUTE + late_by * SECOND, Limits(grace=grace * MINUTE, fire_all=fire_all)
    whole = evaluate_due(known(definition), definition, now, limits).decided
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_AT_ONCE", most_at_once)
        assert decided_to_the_end(known(definition), definition, now, limits) == list(whole)
    late = [item for item in whole if grace * MINUTE < now - item.fire.at <= catch_up * MINUTE]
    if misfire is Misfire.FIRE_ALL:
        assert [item.outcome is Outcome.REQUESTED for item in late] == [
            index >= len(late) - fire_all for index in range(len(late))
        ]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    cron=st.sampled_from(["*/7 * * * *", "0 * * * *", "30 2 * * *", "15,45 1-3 * * *", "* 2 * * *"]),
    zone=st.sampled_from(["UTC", "Europe/Prague", "America/New_York"]),
    start=st.sampled_from([datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]),
    steps=st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=1, max_size=30),
    misfire=st.sampled_from(list(Misfire)),
)
def test_every_fire_is_decided_exactly_once(
    cron: str, zone: str, start: datetime, steps: list[tuple[int, bool]], misfire: Misfire
) -> None:
    """However irregular the looks at the clock, and whatever is switched: every fire once, in order."""
    definition = hourly(timing=Cron.parse(cron), zone=parse_zone(zone), misfire=misfire, updated_at=start)
    now, state = start, evaluate_due(None, definition, start, LIMITS).known
    decided: list[DecidedFire] = []
    for minutes, enabled in steps:
        now += minutes * MINUTE
        if enabled != definition.enabled:
            definition = replace(definition, enabled=enabled, version=definition.version + 1, updated_at=now)
        evaluation = evaluate_due(state, definition, now, LIMITS)
        decided += evaluation.decided
        state = evaluation.known
        for item in evaluation.decided:
            if item.outcome is Outcome.REQUESTED:
                assert enabled
            if enabled and now - item.fire.at <= LIMITS.grace and item.outcome is Outcome.MISSED:
                pytest.fail("a punctual fire was missed")
    assert isinstance(definition.timing, Cron)
    everything = itertools.takewhile(
        lambda fire: fire.at <= now, definition.timing.fires(start, definition.zone)
    )
    assert [item.fire.at for item in decided] == [fire.at for fire in everything]
    assert len({item.fire.key for item in decided}) == len(decided)
