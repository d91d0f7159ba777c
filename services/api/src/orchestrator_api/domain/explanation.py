"""Why a trigger did or did not start its orchestration, from what the trigger-watcher recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table of a trigger; counted and used are None until the watcher has seen the trigger."""

    table: str
    counted: int | None
    used: int | None
    counted_at: datetime | None
    last_heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class TriggerFacts:
    """All that the explanation is made from."""

    tables: Sequence[TableFacts]
    enabled: bool
    cool_down_seconds: int
    last_started_at: datetime | None
    pending: bool
    last_full_run: datetime | None
    last_fire: dict[str, Any] | None


def is_updated(table: TableFacts) -> bool:
    """Whether an update of it counts that no run has used up."""
    return table.counted is not None and table.counted > (table.used or 0)


def cool_down_until(facts: TriggerFacts, now: datetime) -> datetime | None:
    """The end of a cool-down that is under way."""
    if facts.last_started_at is None or not facts.cool_down_seconds:
        return None
    end = facts.last_started_at + timedelta(seconds=facts.cool_down_seconds)
    return end if end > now else None


def summarise(facts: TriggerFacts, now: datetime) -> str:
    """One sentence on the last start, one on what it waits for."""
    sentences = [_about_last_fire(facts), _about_now(facts, now)]
    return " ".join(sentence for sentence in sentences if sentence)


def _about_last_fire(facts: TriggerFacts) -> str:
    fire = facts.last_fire
    if fire is None:
        return ""
    count = len(fire["tables"])
    updates = ", ".join(f"{table['table']} at {table['heard_at']}" for table in fire["tables"])
    if fire.get("ended") is not None and fire.get("started_at") is None:
        return (
            f"asked for a run because {count} of {count} tables were updated ({updates}); it never started."
        )
    return f"started because {count} of {count} tables were updated ({updates})."


def _about_now(facts: TriggerFacts, now: datetime) -> str:
    if not facts.enabled:
        return "The trigger is disabled."
    if facts.pending:
        return "A run of it waits to start; updates until then belong to that run."
    missing = [table.table for table in facts.tables if not is_updated(table)]
    until = cool_down_until(facts, now)
    cooling = f" It cools down until {until:%Y-%m-%dT%H:%M:%SZ}." if until else ""
    updated = len(facts.tables) - len(missing)
    waits = f"Now {updated} of {len(facts.tables)} tables are updated; missing: {', '.join(missing)}."
    return (waits if missing else "All tables are updated.") + cooling
