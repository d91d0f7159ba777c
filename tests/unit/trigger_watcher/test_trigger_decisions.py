"""The rules of triggers one by one, each as PRODUCT section 5 says it."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator_shared.domain.ids import TriggerId, trigger_job_id
from orchestrator_shared.domain.statuses import CoolDownMode, Disposition
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.domain.decisions import (
    Decision,
    PendingEnd,
    RunsRead,
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


def saved(state: TriggerState, tables: set[TableRef], heard: dict[TableRef, int], **changes: Any) -> Saved:
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
    return Saved(replace(definition, **changes), heard)


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
    used = decide(state, RunsRead(used={ORDERS: 1, RATES: 0})).state
    assert used.counts[ORDERS].is_new
    assert not decide(state, RunsRead(used={ORDERS: 2})).state.counts[ORDERS].is_new


def test_reading_the_same_runs_again_changes_nothing() -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    runs = RunsRead(used={ORDERS: 3, RATES: 1}, own_started_at=NOON, pending_started_at=NOON)
    once = decide(state, runs)
    assert once.ended is not None
    assert once.ended.how is PendingEnd.STARTED
    late = decide(once.state, RunsRead(used={ORDERS: 1}, own_started_at=NOON - MINUTE))
    assert late == Decision(once.state)


def test_a_run_that_ends_unstarted_has_used_its_updates() -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    decision = decide(state, RunsRead(used={}, pending_ended_unstarted=True))
    assert decision.ended is not None
    assert decision.ended.how is PendingEnd.UNSTARTED
    assert not any(count.is_new for count in decision.state.counts.values())
    assert decision.state.last_started_at is None
    assert hear(decision.state, ORDERS, 4).disposition is Disposition.COUNTED


def test_the_waiting_run_is_withdrawn_when_another_has_used_everything() -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    partly = decide(state, RunsRead(used={ORDERS: 2, RATES: 1}, another_underway=True))
    assert partly.ended is None
    wholly = decide(state, RunsRead(used={ORDERS: 3, RATES: 1}, another_underway=True))
    assert wholly.ended is not None
    assert wholly.ended.how is PendingEnd.WITHDRAWN
    assert wholly.state.pending is None


def test_a_waiting_run_that_may_be_starting_is_left_alone() -> None:
    state = trigger(pending=FIRST_JOB, generation=1, counts={ORDERS: Count(3, 0), RATES: Count(1, 0)})
    assert decide(state, RunsRead(used={ORDERS: 3, RATES: 1})).state.pending == FIRST_JOB


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
            ledger.apply(
                TRIGGER, RunsRead({ORDERS: seq}, own_started_at=starts[-1], pending_started_at=starts[-1])
            )
    gaps = {(later - earlier) / MINUTE for earlier, later in itertools.pairwise(starts)}
    assert gaps <= set(range(50, 61))
    assert len(starts) > 10


def test_deferred_updates_count_and_fire_when_the_cool_down_ends() -> None:
    state = trigger(
        cool_down=5 * MINUTE, mode=CoolDownMode.DEFER, last_started_at=NOON, counts={ORDERS: Count(0, 0)}
    )
    heard = hear(state, ORDERS, 1, NOON + MINUTE)
    assert (heard.disposition, heard.fire) == (Disposition.COUNTED, None)
    assert decide(heard.state, TimePassed(NOON + 4 * MINUTE)).fire is None
    late = decide(heard.state, TimePassed(NOON + 9 * MINUTE))
    assert late.fire is not None
    assert late.fire.at == NOON + 5 * MINUTE
    assert decide(late.state, TimePassed(NOON + 10 * MINUTE)).fire is None


@pytest.mark.parametrize(
    "event",
    [
        RunsRead({ORDERS: 1}),
        saved(trigger(), {ORDERS}, {}, enabled=False),
        saved(trigger(), {ORDERS}, {}, mode=CoolDownMode.IGNORE),
        saved(trigger(), {ORDERS}, {}, reset_count=1),
        saved(trigger(), {ORDERS, STAFF}, {}),
    ],
)
def test_a_deferred_fire_is_dropped_when_its_reason_is_gone(event: RunsRead | Saved) -> None:
    state = trigger(
        cool_down=MINUTE, mode=CoolDownMode.DEFER, last_started_at=NOON, counts={ORDERS: Count(0, 0)}
    )
    waiting = hear(state, ORDERS, 1, NOON).state
    assert waiting.due_at == NOON + MINUTE
    assert decide(waiting, event).state.due_at is None


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
