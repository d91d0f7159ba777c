"""Every decision about a trigger: `decide(state, event) -> Decision`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from orchestrator_shared.domain.ids import JobId, trigger_job_id
from orchestrator_shared.domain.statuses import CoolDownMode, Disposition
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState


@dataclass(frozen=True, slots=True)
class UpdateHeard:
    """A table was updated; `seq` is its number among the table's updates."""

    table: TableRef
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RunsRead:
    """The truth about runs, read under the trigger's lock; says the same thing however often it is read."""

    used: Mapping[TableRef, int]
    """How far the full runs of the orchestration have used each table."""
    own_started_at: datetime | None = None
    """Start of the last run that this trigger started."""
    pending_started_at: datetime | None = None
    pending_ended_unstarted: bool = False
    another_underway: bool = False
    """A full run that started after the waiting one was requested is underway: that one has not."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Somebody saved, switched, reset or deleted the trigger; `heard` is each table's newest number."""

    definition: Definition
    heard: Mapping[TableRef, int]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened up to this instant; a deferred fire may be due."""

    at: datetime


Event = UpdateHeard | RunsRead | Saved | TimePassed


@dataclass(frozen=True, slots=True)
class Fire:
    """A run to request, and the updates that completed the set."""

    job_id: JobId
    generation: int
    at: datetime
    counts: Mapping[TableRef, Count]


class PendingEnd(StrEnum):
    """How a requested run stopped being waited for."""

    STARTED = "started"
    UNSTARTED = "unstarted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Ended:
    """The waiting run that is waited for no more."""

    job_id: JobId
    how: PendingEnd
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state, and what has to be recorded and said."""

    state: TriggerState
    disposition: Disposition | None = None
    job_id: JobId | None = None
    """The run that the update completed or belongs to."""
    fire: Fire | None = None
    ended: Ended | None = None


def decide(state: TriggerState, event: Event) -> Decision:
    """What follows for one trigger from one event."""
    match event:
        case UpdateHeard():
            return _hear(state, event)
        case RunsRead():
            return _settle(state, event)
        case Saved():
            return Decision(_save(state, event))
        case TimePassed():
            return _fall_due(state, event.at)
        case _:
            assert_never(event)


def _hear(state: TriggerState, update: UpdateHeard) -> Decision:
    if not state.enabled:
        return Decision(state, Disposition.DISABLED)
    if state.pending is not None:
        return Decision(_count(state, update), Disposition.BELONGS_TO_WAITING, state.pending)
    cooling_down = state.is_cooling_down(update.at)
    if cooling_down and state.mode is CoolDownMode.IGNORE:
        return Decision(state, Disposition.COOLING_DOWN)
    counted = _count(state, update)
    if not counted.is_complete:
        return Decision(counted, Disposition.COUNTED)
    if cooling_down:
        return Decision(replace(counted, due_at=counted.cool_down_until), Disposition.COUNTED)
    fired, fire = _fire(counted, update.at)
    return Decision(fired, Disposition.COMPLETED, fire.job_id, fire)


def _count(state: TriggerState, update: UpdateHeard) -> TriggerState:
    count = replace(state.counts[update.table], counted=update.seq, counted_at=update.at)
    return replace(state, counts={**state.counts, update.table: count})


def _fire(state: TriggerState, at: datetime) -> tuple[TriggerState, Fire]:
    generation = state.generation + 1
    job_id = trigger_job_id(state.id, generation)
    fired = replace(state, generation=generation, pending=job_id, due_at=None)
    return fired, Fire(job_id, generation, at, state.counts)


def _settle(state: TriggerState, runs: RunsRead) -> Decision:
    used = {table: count.use(runs.used.get(table, 0)) for table, count in state.counts.items()}
    settled = replace(state, counts=used, last_started_at=_later(state.last_started_at, runs.own_started_at))
    ended = _end_of_pending(settled, runs)
    if ended is not None:
        settled = replace(settled, pending=None)
        if ended.how is PendingEnd.UNSTARTED:
            settled = _use_all(settled)
    return Decision(_without_stale_timer(settled), ended=ended)


def _end_of_pending(state: TriggerState, runs: RunsRead) -> Ended | None:
    if state.pending is None:
        return None
    if runs.pending_started_at is not None:
        return Ended(state.pending, PendingEnd.STARTED, runs.pending_started_at)
    if runs.pending_ended_unstarted:
        return Ended(state.pending, PendingEnd.UNSTARTED)
    if runs.another_underway and not any(count.is_new for count in state.counts.values()):
        return Ended(state.pending, PendingEnd.WITHDRAWN)
    return None


def _use_all(state: TriggerState) -> TriggerState:
    """Otherwise a run that was cancelled before its start would be requested again at once."""
    return replace(state, counts={table: count.use(count.counted) for table, count in state.counts.items()})


def _save(state: TriggerState, saved: Saved) -> TriggerState:
    """Tables that stay keep their counts, a new one starts at nothing; nothing fires by itself."""
    definition = saved.definition
    counts = {
        table: state.counts.get(table) or _beginning(saved.heard, table)
        for table in definition.counted_tables
    }
    if definition.reset_count > state.reset_count:
        counts = {table: count.drop() for table, count in counts.items()}
    edited = replace(state, **_settings(definition), counts=counts)
    return _without_stale_timer(replace(edited, due_at=edited.cool_down_until if state.due_at else None))


def _beginning(heard: Mapping[TableRef, int], table: TableRef) -> Count:
    last = heard.get(table, 0)
    return Count(counted=last, used=last)


def _without_stale_timer(state: TriggerState) -> TriggerState:
    waits = state.enabled and state.mode is CoolDownMode.DEFER and state.is_complete and state.pending is None
    return state if waits or state.due_at is None else replace(state, due_at=None)


def _fall_due(state: TriggerState, now: datetime) -> Decision:
    """The fire is dated at the cool-down's end, however late the look at the clock comes."""
    state = _without_stale_timer(state)
    if state.due_at is None or now < state.due_at:
        return Decision(state)
    fired, fire = _fire(state, state.due_at)
    return Decision(fired, fire=fire)


def _settings(definition: Definition) -> dict[str, Any]:
    return {
        "id": definition.id,
        "project": definition.project,
        "orchestration": definition.orchestration,
        "name": definition.name,
        "version": definition.version,
        "reset_count": definition.reset_count,
        "enabled": definition.enabled,
        "cool_down": definition.cool_down,
        "mode": definition.mode,
        "deleted": definition.deleted,
    }


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)
