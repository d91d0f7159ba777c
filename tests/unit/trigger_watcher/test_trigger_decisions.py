"""The rules of triggers one by one, each as docs/explanation/heard-and-used.md says it."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator_shared.domain.ids import JobId, TriggerId, trigger_job_id
from orchestrator_shared.domain.statuses import CoolDownMode, Disposition
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.domain.decisions import (
    Decision,
    PendingEnd,
    RunEnded,
    RunStarted,
    Saved,
    TimePassed,
    UpdateHeard,
    decide,
)
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORDERS, RATES, STAFF = (TableRef.parse(f"in.c-x.{name}", own_project="demo") for name in "ors")
TRIGGER = TriggerId(UUID(int=1))
FIRST_JOB, SECOND_JOB = trigger_job_id(TRIGGER, 1), trigger_job_id(TRIGGER, 2)
OTHER_JOB = UUID(int=2)


def trigger(**changes: Any) -> TriggerState:
    plain = TriggerState(
        id=TRIGGER,
        project="demo",
        orchestration="campaigns",
        name="crm",
        version=1,
        reset_count=0,
        enabled=True,
        cool_down=timedelta(0),
        mode=CoolDownMode.IGNORE,
        counts={ORDERS: Count(0, 0), RATES: Count(0, 0)},
    )
    return replace(plain, **changes)


def saved(
    state: TriggerState,
    tables: set[TableRef],
    heard: dict[TableRef, int],
    at: datetime = NOON,
    **changes: Any,
) -> Saved:
    definition = Definition(
        id=state.id,
        project=state.project,
        orchestration=state.orchestration,
        name=state.name,
        version=state.version + 1,
        reset_count=state.reset_count,
        enabled=state.enabled,
        cool_down=state.cool_down,
        mode=state.mode,
        deleted=state.deleted,
        tables=frozenset(tables),
    )
    return Saved(at, 1, replace(definition, **changes), heard)


def started(
    used: dict[TableRef, int], at: datetime = NOON, job_id: UUID = OTHER_JOB, own: bool = False
) -> RunStarted:
    return RunStarted(at, JobId(job_id), used, own)


def hear(state: TriggerState, table: TableRef, seq: int, at: datetime = NOON) -> Decision:
    return decide(state, UpdateHeard(table, seq, at))


def test_it_fires_when_all_tables_were_updated() -> None:
    first = hear(trigger(), ORDERS, 1)
    again = hear(first.state, ORDERS, 2)
    last = hear(again.state, RATES, 1)
    assert [d.disposition for d in (first, again, last)] == ["counted", "counted", "completed"]
    assert last.fire is not None
    assert (last.fire.job_id, last.fire.generation, last.fire.at) == (FIRST_JOB, 1, NOON)
    assert {table: count.counted for table, count in last.fire.counts.items()} == {ORDERS: 2, RATES: 1}
    assert last.state.pending == last.job_id == FIRST_JOB


def test_while_the_run_waits_updates_belong_to_it() -> None:
    waiting = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(1, 0), RATES: Count(1, 0)})
    heard = hear(waiting, ORDERS, 2)
    assert (heard.disposition, heard.job_id, heard.fire) == (Disposition.BELONGS_TO_WAITING, FIRST_JOB, None)


def test_a_run_uses_what_was_heard_before_its_start_and_nothing_after() -> None:
    state = trigger(counts={ORDERS: Count(2, 0), RATES: Count(0, 0)})
    used = decide(state, started({ORDERS: 1, RATES: 0})).state
    assert used.counts[ORDERS].is_new
    assert not decide(state, started({ORDERS: 2})).state.counts[ORDERS].is_new


def test_reading_the_same_start_again_changes_nothing() -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    start = started({ORDERS: 3, RATES: 1}, job_id=FIRST_JOB, own=True)
    once = decide(state, start)
    assert once.ended is not None
    assert (once.ended.how, once.ended.started_at) == (PendingEnd.STARTED, NOON)
    assert decide(once.state, start) == Decision(once.state)
    assert decide(once.state, started({ORDERS: 1}, NOON - MINUTE, own=True)) == Decision(once.state)


@pytest.mark.parametrize(
    ("was_withdrawn", "how"), [(False, PendingEnd.UNSTARTED), (True, PendingEnd.WITHDRAWN)]
)
def test_a_run_that_ends_unstarted_has_used_its_updates(was_withdrawn: bool, how: PendingEnd) -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    decision = decide(state, RunEnded(NOON, FIRST_JOB, was_withdrawn))
    assert decision.ended is not None
    assert decision.ended.how is how
    assert not any(count.is_new for count in decision.state.counts.values())
    assert decision.state.last_started_at is None
    assert hear(decision.state, ORDERS, 4).disposition is Disposition.COUNTED
    assert decide(decision.state, RunEnded(NOON, FIRST_JOB, was_withdrawn)) == Decision(decision.state)


def test_another_run_leaves_the_waiting_one_waiting() -> None:
    """It is withdrawn where it would start, whenever anybody looks."""
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    decision = decide(state, started({ORDERS: 3, RATES: 1}))
    assert (decision.ended, decision.state.pending) == (None, FIRST_JOB)


@pytest.mark.parametrize(
    ("seconds", "disposition"),
    [(0, "ignored_in_cool_down"), (299, "ignored_in_cool_down"), (300, "completed")],
)
def test_cool_down_drops_updates_and_one_exactly_at_its_end_counts(seconds: int, disposition: str) -> None:
    state = trigger(cool_down=5 * MINUTE, last_started_at=NOON, counts={ORDERS: Count(0, 0)})
    decision = hear(state, ORDERS, 1, NOON + timedelta(seconds=seconds))
    assert decision.disposition == disposition
    assert decision.state.counts[ORDERS].is_new is (disposition == "completed")


def test_updates_every_ten_minutes_under_fifty_give_gaps_of_fifty_to_sixty() -> None:
    ledger = Ledger([trigger(cool_down=50 * MINUTE, counts={ORDERS: Count(0, 0)})])
    starts: list[datetime] = []
    for seq in range(1, 100):
        at = NOON + seq * 10 * MINUTE
        ledger.hear(UpdateHeard(ORDERS, seq, at))
        state = ledger.states[TRIGGER]
        if state.pending is not None:
            starts.append(at + 3 * MINUTE)
            ledger.apply(TRIGGER, started({ORDERS: seq}, starts[-1], state.pending, own=True))
    gaps = {(later - earlier) / MINUTE for earlier, later in itertools.pairwise(starts)}
    assert gaps <= set(range(50, 61))
    assert len(starts) > 10


def deferring(**changes: Any) -> TriggerState:
    """In a cool-down from noon of five minutes, with an update at 12:01 that completes the set."""
    state = trigger(
        cool_down=5 * MINUTE, mode=CoolDownMode.DEFER, last_started_at=NOON, counts={ORDERS: Count(0, 0)}
    )
    heard = hear(state, ORDERS, 1, NOON + MINUTE)
    assert (heard.disposition, heard.fire) == (Disposition.COUNTED, None)
    return replace(heard.state, **changes)


END = NOON + 5 * MINUTE
LATE = NOON + 9 * MINUTE


def fired_at(decision: Decision) -> datetime | None:
    return None if decision.fire is None else decision.fire.at


def test_deferred_updates_count_and_fire_when_the_cool_down_ends() -> None:
    state = deferring()
    assert decide(state, TimePassed(NOON + 4 * MINUTE)).fire is None
    late = decide(state, TimePassed(LATE))
    assert fired_at(late) == END
    assert decide(late.state, TimePassed(LATE + MINUTE)).fire is None


@pytest.mark.parametrize(
    "event",
    [
        started({ORDERS: 1}, LATE),
        saved(deferring(), {ORDERS}, {}, LATE, enabled=False),
        saved(deferring(), {ORDERS}, {}, LATE, reset_count=1),
        saved(deferring(), {ORDERS}, {}, LATE, cool_down=timedelta(0)),
        saved(deferring(), {ORDERS}, {}, LATE, deleted=True),
        RunEnded(LATE, JobId(OTHER_JOB), was_withdrawn=False),
        UpdateHeard(ORDERS, 2, LATE),
    ],
)
def test_time_passes_before_whatever_comes_after_a_deferred_cool_down(event: Any) -> None:
    """Issue 8, 23 b: what came between the end and the look at the clock lost or moved the fire."""
    assert fired_at(decide(deferring(), event)) == END


def test_what_comes_before_the_end_of_the_cool_down_is_judged_first() -> None:
    before = END - timedelta(microseconds=1)
    used = decide(deferring(), started({ORDERS: 1}, before)).state
    assert decide(used, TimePassed(LATE)).fire is None
    reset = decide(deferring(), saved(deferring(), {ORDERS}, {}, before, reset_count=1)).state
    assert decide(reset, TimePassed(LATE)).fire is None


def test_an_edit_that_ends_the_cool_down_is_its_end() -> None:
    """Issue 8, 23 a: the fire was dated before its updates."""
    shortened = decide(deferring(), saved(deferring(), {ORDERS}, {}, NOON + 3 * MINUTE, cool_down=2 * MINUTE))
    assert fired_at(shortened) == NOON + 3 * MINUTE
    longer = decide(deferring(), saved(deferring(), {ORDERS}, {}, NOON + 3 * MINUTE, cool_down=7 * MINUTE))
    assert fired_at(longer) is None
    assert fired_at(decide(longer.state, TimePassed(LATE))) == NOON + 7 * MINUTE


@pytest.mark.parametrize("changes", [{"enabled": False}, {"mode": CoolDownMode.IGNORE}])
def test_a_set_is_judged_as_it_is_at_the_end_of_the_cool_down(changes: dict[str, Any]) -> None:
    """Issue 8, 23 d: after switching off and on, or changing the mode and back, nothing fired at the end."""
    off = decide(deferring(), saved(deferring(), {ORDERS}, {}, NOON + 2 * MINUTE, **changes)).state
    assert decide(off, TimePassed(LATE)).fire is None
    on = decide(off, saved(deferring(), {ORDERS}, {}, NOON + 3 * MINUTE)).state
    assert fired_at(decide(on, TimePassed(LATE))) == END
    too_late = decide(decide(off, TimePassed(END)).state, saved(deferring(), {ORDERS}, {}, LATE)).state
    assert decide(too_late, TimePassed(LATE + MINUTE)).fire is None


def test_an_edit_that_completes_the_set_in_the_cool_down_fires_at_its_end() -> None:
    """Issue 8, 23 d."""
    counts = {ORDERS: Count(1, 0), RATES: Count(0, 0)}
    state = deferring(counts=counts)
    edited = decide(state, saved(state, {ORDERS}, {}, NOON + 2 * MINUTE))
    assert edited.fire is None
    assert fired_at(decide(edited.state, TimePassed(LATE))) == END


def test_a_run_that_waits_at_the_end_of_a_cool_down_keeps_its_updates() -> None:
    state = deferring(pending=SECOND_JOB, generation=2)
    assert decide(state, TimePassed(LATE)) == Decision(replace(state, due_at=None))


def test_a_table_taken_out_and_in_again_begins_at_nothing() -> None:
    """Issue 8, 23 e: quick edits merged, and the old count came back."""
    state = trigger(counts={ORDERS: Count(0, 0), RATES: Count(4, 2)})
    without = decide(state, saved(state, {ORDERS}, {}, version=2)).state
    again = decide(without, saved(without, {ORDERS, RATES}, {RATES: 4}, version=3)).state
    assert again.counts[RATES] == Count(4, 4)
    assert decide(again, saved(state, {ORDERS}, {}, version=2)) == Decision(again)


def test_disabled_updates_neither_fire_nor_count_and_enabling_fires_nothing() -> None:
    state = trigger(enabled=False, counts={ORDERS: Count(1, 0), RATES: Count(0, 0)})
    heard = hear(state, RATES, 1)
    assert (heard.disposition, heard.state) == (Disposition.DISABLED, state)
    enabled = decide(state, saved(state, {ORDERS, RATES}, {}, enabled=True))
    assert enabled.fire is None
    assert enabled.state.counts == state.counts


def test_a_new_trigger_counts_from_its_creation() -> None:
    made = decide(trigger(counts={}), saved(trigger(), {ORDERS}, {ORDERS: 7})).state
    assert made.counts == {ORDERS: Count(7, 7)}
    assert hear(made, ORDERS, 8).disposition is Disposition.COMPLETED


def test_editing_keeps_the_counts_of_tables_that_stay_and_fires_nothing() -> None:
    state = trigger(counts={ORDERS: Count(1, 0), RATES: Count(0, 0)})
    decision = decide(state, saved(state, {ORDERS}, {RATES: 3}))
    assert decision.state.is_complete
    assert decision.fire is None
    assert hear(decision.state, ORDERS, 2).disposition is Disposition.COMPLETED
    added = decide(state, saved(state, {ORDERS, STAFF}, {STAFF: 9})).state
    assert added.counts == {ORDERS: Count(1, 0), STAFF: Count(9, 9)}


def test_reset_drops_counts_but_ends_neither_cool_down_nor_waiting_run() -> None:
    state = trigger(
        pending=FIRST_JOB,
        generation=1,
        cool_down=MINUTE,
        last_started_at=NOON,
        counts={ORDERS: Count(2, 1), RATES: Count(0, 0)},
    )
    reset = decide(state, saved(state, {ORDERS, RATES}, {}, reset_count=1)).state
    assert not any(count.is_new for count in reset.counts.values())
    assert (reset.pending, reset.last_started_at) == (FIRST_JOB, NOON)


def test_a_deleted_trigger_counts_nothing_and_begins_anew_when_restored() -> None:
    state = trigger(counts={ORDERS: Count(5, 1)})
    deleted = decide(state, saved(state, {ORDERS}, {ORDERS: 5}, deleted=True)).state
    assert deleted.counts == {}
    restored = decide(deleted, saved(deleted, {ORDERS}, {ORDERS: 6}, deleted=False)).state
    assert restored.counts == {ORDERS: Count(6, 6)}


def test_a_trigger_without_tables_is_never_complete() -> None:
    assert not trigger(counts={}).is_complete


def test_a_run_that_causes_itself_has_a_longer_chain_each_time() -> None:
    """Issue 8, 21: one table from outside begins a new chain."""
    state = trigger()
    chains = []
    for round_ in range(1, 4):
        first = decide(state, UpdateHeard(ORDERS, round_, NOON, chain_length=round_ - 1)).state
        decision = decide(first, UpdateHeard(RATES, round_, NOON, chain_length=round_ + 5))
        assert decision.fire is not None
        chains.append(decision.fire.chain_length)
        used = {ORDERS: round_, RATES: round_}
        state = decide(decision.state, started(used, job_id=decision.fire.job_id, own=True)).state
    assert chains == [1, 2, 3]
    outside = decide(decide(state, UpdateHeard(ORDERS, 4, NOON)).state, UpdateHeard(RATES, 4, NOON, 9))
    assert outside.fire is not None
    assert outside.fire.chain_length == 1
