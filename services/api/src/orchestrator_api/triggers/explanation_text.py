"""Turns recorded facts into sentences that explain why a trigger did or did not start its orchestration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator_shared.clock import stamp


@dataclass(frozen=True, slots=True)
class Since:
    """A point in time, and what happened then."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table of a trigger; counted and used are None until the watcher has seen the trigger."""

    table: str
    counted: int | None
    used: int | None
    counted_at: datetime | None
    last_heard_at: datetime | None
    added_at: datetime | None = None
    """When someone saved the trigger with this table."""
    ready_since: datetime | None = None
    """When the first update was heard that counts and that no run has used."""

    @property
    def is_updated(self) -> bool:
        """Whether it has a counted update that no run has used."""
        return self.counted is not None and self.counted > (self.used or 0)


@dataclass(frozen=True, slots=True)
class Off:
    """What prevents updates from counting, such as "The trigger is disabled"."""

    what: str
    since: datetime | None = None
    by: str | None = None
    reason: str | None = None
    ignored: int = 0
    """How many updates were received since then."""


@dataclass(frozen=True, slots=True)
class FiredTable:
    """A table whose update completed the set, or belonged to it."""

    table: str
    seq: int | None
    heard_at: str | None
    """The run number that people see."""


@dataclass(frozen=True, slots=True)
class Fired:
    """The newest run that the trigger requested."""

    tables: Sequence[FiredTable]
    is_over: bool
    """The trigger no longer waits for it to start."""
    at: datetime
    name: str | None = None
    """The run number that people see; None until it is accepted, or if it was deleted."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    why_not: str | None = None
    """Why it ended without starting."""


@dataclass(frozen=True, slots=True)
class TriggerFacts:
    """Everything that the explanation is based on."""

    tables: Sequence[TableFacts]
    cool_down: timedelta = timedelta(0)
    defers: bool = False
    created_at: datetime | None = None
    reset_at: datetime | None = None
    off: Off | None = None
    last_started_at: datetime | None = None
    """The last start among the trigger's own runs."""
    ignored: int = 0
    """Updates dropped in the cool-down after that start."""
    full_run: Since | None = None
    """The last full run of the orchestration, whoever started it."""
    fired: Fired | None = None

    @property
    def is_waiting(self) -> bool:
        return self.fired is not None and not self.fired.is_over


def cool_down_until(facts: TriggerFacts, now: datetime) -> datetime | None:
    """The end of the current cool-down."""
    end = _cool_down_end(facts)
    return end if end is not None and end > now else None


def missing_since(facts: TriggerFacts, table: TableFacts) -> Since | None:
    """Since when the table lacks an update, and what happened then; None if it has one."""
    if table.is_updated:
        return None
    known = [
        _since(facts.created_at, "the trigger was created"),
        _since(table.added_at, "the table was added to the trigger"),
        _since(facts.reset_at, "the trigger was reset"),
        facts.full_run,
    ]
    if facts.fired is not None and facts.fired.started_at is None:
        known.append(_since(facts.fired.ended_at, "the run that waited for its start ended"))
    return max((since for since in known if since is not None), key=lambda since: since.at, default=None)


def sentences(facts: TriggerFacts, now: datetime) -> list[str]:
    """What it did last and why, what prevents it from running, and when it will run."""
    return [
        *_about_last_fire(facts),
        *_about_dropped(facts),
        *_about_switch(facts),
        *([] if facts.off else _about_now(facts, now)),
    ]


def _about_last_fire(facts: TriggerFacts) -> Iterator[str]:
    fired = facts.fired
    if fired is None:
        return
    count = len(fired.tables)
    updates = ", ".join(f"{table.table} at {table.heard_at}" for table in fired.tables)
    because = f"because {_tables_of(count, count)} updated ({updates})"
    name = f" {fired.name}" if fired.name else ""
    if fired.started_at is not None:
        yield f"started{name} {because}."
    elif facts.is_waiting:
        yield f"requested a run {because}."
        yield f"The run{name} waits to start; {_until_start(facts)}."
    else:
        yield f"requested a run {because}."
        yield f"The run{name} never started: {fired.why_not or 'it ended before its start'}."


def _until_start(facts: TriggerFacts) -> str:
    return "its updates stay with it" if facts.off else "updates heard until then belong to it"


def _about_dropped(facts: TriggerFacts) -> Iterator[str]:
    end = _cool_down_end(facts)
    if facts.ignored and end is not None:
        yield f"{_updates(facts.ignored)} ignored in the cool-down until {stamp(end)}."


def _about_switch(facts: TriggerFacts) -> Iterator[str]:
    if facts.off is None:
        return
    since = f" since {stamp(facts.off.since)}" if facts.off.since else ""
    by = f", by {facts.off.by}" if facts.off.by else ""
    why = f" ({facts.off.reason})" if facts.off.reason else ""
    yield f"{facts.off.what}{since}{by}{why}; updates are recorded and do not count."
    if facts.off.ignored:
        yield f"{_updates(facts.off.ignored)} heard since then."


def _about_now(facts: TriggerFacts, now: datetime) -> Iterator[str]:
    if facts.is_waiting:
        return
    until = cool_down_until(facts, now)
    missing = [table for table in facts.tables if not table.is_updated]
    if missing:
        yield f"{_tables_of(len(facts.tables) - len(missing), len(facts.tables))} updated."
        yield from _missing(facts, missing)
        if until is not None:
            yield f"It cools down until {stamp(until)}; updates until then {_effect_of_updates(facts)}."
    elif until is not None and facts.defers:
        yield f"All tables are updated: it will run at {stamp(until)}, when the cool-down ends."
    elif until is not None:
        yield (
            f"All tables are updated; the first update after the cool-down ends at {stamp(until)} starts it."
        )
    else:
        yield "All tables are updated; saving starts nothing, but the next update of one of them will."


def _missing(facts: TriggerFacts, missing: Sequence[TableFacts]) -> Iterator[str]:
    by_since: dict[Since | None, list[str]] = {}
    for table in missing:
        by_since.setdefault(missing_since(facts, table), []).append(table.table)
    for since, names in by_since.items():
        when = f", since {since.what} at {stamp(since.at)}" if since else ""
        yield f"Missing: {', '.join(names)}{when}."


def _effect_of_updates(facts: TriggerFacts) -> str:
    return "count, and the set is evaluated then" if facts.defers else "are ignored"


def _cool_down_end(facts: TriggerFacts) -> datetime | None:
    if facts.last_started_at is None or not facts.cool_down:
        return None
    return facts.last_started_at + facts.cool_down


def _since(at: datetime | None, what: str) -> Since | None:
    return None if at is None else Since(at, what)


def _tables_of(count: int, total: int) -> str:
    return (
        f"{count} of {total} {'table' if total == 1 else 'tables'} {'was' if 1 in (count, total) else 'were'}"
    )


def _updates(count: int) -> str:
    return f"{count} {'update was' if count == 1 else 'updates were'}"
