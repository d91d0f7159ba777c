"""Every decision about a trigger: `decide(state, event) -> Decision`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from orchestrator_shared.domain.ids import JobId, trigger_job_id
from orchestrator_shared.domain.statuses import Disposition
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState


@dataclass(frozen=True, slots=True)
class UpdateHeard:
    """A table was updated; `seq` is its number among the table's updates."""

    table: TableRef
    seq: int
    at: datetime
    chain_length: int = 0


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run of the orchestration started; a full one has used all that was heard before."""

    at: datetime
    job_id: JobId
    used: Mapping[TableRef, int]
    """How far it used each table; empty for a partial run."""
    is_own: bool
    """This trigger asked for it."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run that the trigger asked for ended before it started."""

    at: datetime
    job_id: JobId
    was_withdrawn: bool
    """Where it would have started, another full run had used all its updates."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Somebody saved, switched, reset or deleted the trigger; `heard` is each table's newest number then."""

    at: datetime
    number: int
    """Of everything that was ever saved."""
    definition: Definition
    heard: Mapping[TableRef, int]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened up to this instant; a cool-down may have ended."""

    at: datetime


PastEvent = RunStarted | RunEnded | Saved
"""What the database records of other services, read when the watcher looks."""
Event = UpdateHeard | PastEvent | TimePassed


@dataclass(frozen=True, slots=True)
class Fire:
    """A run to request, and the updates that completed the set."""

    job_id: JobId
    generation: int
    at: datetime
    counts: Mapping[TableRef, Count]
    chain_length: int = 1


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
    """The new state, and what has to be stored and published."""

    state: TriggerState
    disposition: Disposition | None = None
    job_id: JobId | None = None
    """The run that the update completed or belongs to."""
    fire: Fire | None = None
    ended: Ended | None = None


def decide(state: TriggerState, event: Event) -> Decision:
    """What follows for one trigger from one event. Time passes first: a cool-down that ended by then, ended
    before the event, however late it is evaluated."""
    passed = _pass_time(state, event.at)
    decision = _decide_now(passed.state, event)
    return decision if passed.fire is None else replace(decision, fire=passed.fire)


def _decide_now(state: TriggerState, event: Event) -> Decision:
    match event:
        case UpdateHeard():
            return _hear(state, event)
        case RunStarted():
            return _start(state, event)
        case RunEnded():
            return _end(state, event)
        case Saved():
            return _save(state, event)
        case TimePassed():
            return Decision(state)
        case _:
            assert_never(event)


def _pass_time(state: TriggerState, now: datetime) -> Decision:
    """At the end of a deferred cool-down, the set is evaluated as of then, and so is the fire dated."""
    if state.due_at is None or now < state.due_at:
        return Decision(state)
    return _judge_set(replace(state, due_at=None), state.due_at)


def _judge_set(state: TriggerState, at: datetime) -> Decision:
    if not (state.enabled and state.defers and state.is_complete and state.pending is None):
        return Decision(state)
    fired, fire = _fire(state, at)
    return Decision(fired, fire=fire)


def _hear(state: TriggerState, update: UpdateHeard) -> Decision:
    if not state.enabled:
        return Decision(state, Disposition.DISABLED)
    if state.pending is not None:
        return Decision(_count(state, update), Disposition.BELONGS_TO_WAITING, state.pending)
    cooling_down = state.is_cooling_down(update.at)
    if cooling_down and not state.defers:
        return Decision(state, Disposition.COOLING_DOWN)
    counted = _count(state, update)
    if cooling_down or not counted.is_complete:
        return Decision(_with_timer(counted, update.at), Disposition.COUNTED)
    fired, fire = _fire(counted, update.at)
    return Decision(fired, Disposition.COMPLETED, fire.job_id, fire)


def _count(state: TriggerState, update: UpdateHeard) -> TriggerState:
    count = replace(
        state.counts[update.table],
        counted=update.seq,
        counted_at=update.at,
        chain_length=update.chain_length,
    )
    return replace(state, counts={**state.counts, update.table: count})


def _fire(state: TriggerState, at: datetime) -> tuple[TriggerState, Fire]:
    generation = state.generation + 1
    job_id = trigger_job_id(state.id, generation)
    fired = replace(state, generation=generation, pending=job_id)
    return fired, Fire(job_id, generation, at, state.counts, state.next_chain_length)


def _start(state: TriggerState, run: RunStarted) -> Decision:
    used = {table: count.use(run.used.get(table, 0)) for table, count in state.counts.items()}
    started = replace(state, counts=used)
    if run.is_own:
        started = replace(started, last_started_at=_later(state.last_started_at, run.at))
    if run.job_id != state.pending:
        return Decision(_with_timer(started, run.at))
    ended = Ended(run.job_id, PendingEnd.STARTED, run.at)
    return Decision(_with_timer(replace(started, pending=None), run.at), ended=ended)


def _end(state: TriggerState, run: RunEnded) -> Decision:
    """Its updates are used up: otherwise it would be requested again at once."""
    if run.job_id != state.pending:
        return Decision(state)
    how = PendingEnd.WITHDRAWN if run.was_withdrawn else PendingEnd.UNSTARTED
    used = {table: count.use(count.counted) for table, count in state.counts.items()}
    return Decision(replace(state, counts=used, pending=None), ended=Ended(run.job_id, how))


def _save(state: TriggerState, saved: Saved) -> Decision:
    """Tables that stay keep their counts, a new one starts at nothing. Nothing fires by itself, but an edit
    that ends a cool-down is its end."""
    definition = saved.definition
    if definition.version < state.version:
        return Decision(state)  # a watcher of the previous release already applied a later one
    counts = {
        table: state.counts.get(table) or _beginning(saved.heard, table)
        for table in definition.counted_tables
    }
    if definition.reset_count > state.reset_count:
        counts = {table: count.drop() for table, count in counts.items()}
    edited = _with_timer(replace(state, **_settings(definition), counts=counts), saved.at)
    if state.is_cooling_down(saved.at) and not edited.is_cooling_down(saved.at):
        return _judge_set(edited, saved.at)
    return Decision(edited)


def _beginning(heard: Mapping[TableRef, int], table: TableRef) -> Count:
    last = heard.get(table, 0)
    return Count(counted=last, used=last)


def _with_timer(state: TriggerState, now: datetime) -> TriggerState:
    """When to evaluate the trigger again: at the end of its cool-down, if it defers."""
    waits = state.defers and state.is_cooling_down(now)
    due_at = state.cool_down_until if waits else None
    return state if due_at == state.due_at else replace(state, due_at=due_at)


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


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
