"""Saving, resetting, deleting and explaining triggers; every change is said to the trigger-watcher."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_api.adapters.sql import Row
from orchestrator_api.domain import explanation
from orchestrator_api.domain.refusals import FieldError, refuse
from orchestrator_api.handlers.schedules import SavedPart, lock_orchestration
from orchestrator_api.session import Session
from orchestrator_shared.clock import stamp
from orchestrator_shared.contracts.events import TriggerChanged
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_id
from orchestrator_shared.domain.tables import TableRef


@dataclass(frozen=True, slots=True)
class TriggerWish:
    """What a trigger shall be."""

    tables: Sequence[str]
    cool_down_seconds: int = 0
    mode: str = "ignore"
    enabled: bool = True


async def find(session: Session, orchestration: str, name: str) -> Row:
    """The trigger; NotFound if it is not there."""
    row = await session.sql.one("triggers", session.project, orchestration, name, None)
    if row is None:
        raise NotFound(f"{orchestration!r} has no trigger {name!r}", field="trigger")
    return row


async def find_by_id(session: Session, trigger_id: UUID) -> Row:
    """The trigger; NotFound if the project has none of this id."""
    row = await session.sql.one("triggers", session.project, None, None, trigger_id)
    if row is None:
        raise NotFound(f"there is no trigger {trigger_id} in this project", field="trigger")
    return row


async def save(session: Session, orchestration: str, name: str, wish: TriggerWish) -> SavedPart:
    """Save it; the same wish again changes nothing."""
    await lock_orchestration(session, orchestration)
    stored = await session.sql.one("triggers", session.project, orchestration, name, None)
    refs = await _accept_tables(session, wish.tables, stored)
    if stored is not None and _is_same(session.project, stored, wish, refs):
        return SavedPart(created=False, changed=False)
    trigger_id = new_id() if stored is None else stored["id"]
    rules = (wish.enabled, wish.cool_down_seconds, wish.mode)
    if stored is None:
        await session.sql.run("insert_trigger", trigger_id, session.project, orchestration, name, *rules)
    else:
        await session.sql.run("update_trigger", trigger_id, *rules)
        await session.sql.run("delete_trigger_tables", trigger_id)
    projects, names = [ref.project for ref in refs], [str(ref.name) for ref in refs]
    await session.sql.run("insert_trigger_tables", trigger_id, projects, names)
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    action = "trigger.created" if stored is None else "trigger.changed"
    detail = {"tables": [str(ref) for ref in refs], "cool_down_seconds": wish.cool_down_seconds}
    await session.record(action, f"{orchestration}/{name}", mode=wish.mode, enabled=wish.enabled, **detail)
    return SavedPart(created=stored is None, changed=True)


async def _accept_tables(session: Session, tables: Sequence[str], stored: Row | None) -> list[TableRef]:
    """The tables, each once; those of other projects only from buckets shared with this one."""
    project = session.project
    refs = [TableRef.parse(text, own_project=project, field=f"tables.{i}") for i, text in enumerate(tables)]
    shared = {
        (row["project"], row["bucket"]) for row in await session.sql.many("buckets_shared_with", project)
    }
    refuse(
        [
            FieldError(f"tables.{i}", f"no bucket {ref.name.bucket!r} of {ref.project!r} is shared with you")
            for i, ref in enumerate(refs)
            if ref.project != project and (ref.project, ref.name.bucket) not in shared
        ]
    )
    return sorted(set(refs))


def _is_same(project: str, stored: Row, wish: TriggerWish, refs: Sequence[TableRef]) -> bool:
    before = {TableRef.parse(text, own_project=project) for text in stored["tables"]}
    rules = (stored["enabled"], stored["cool_down_seconds"], stored["mode"])
    return before == set(refs) and rules == (wish.enabled, wish.cool_down_seconds, wish.mode)


async def delete(session: Session, orchestration: str, name: str) -> None:
    """Delete it; its recorded dispositions stay."""
    await lock_orchestration(session, orchestration)
    trigger_id = await session.sql.value("delete_trigger", session.project, orchestration, name)
    if trigger_id is None:
        raise NotFound(f"{orchestration!r} has no trigger {name!r}", field="trigger")
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    await session.record("trigger.deleted", f"{orchestration}/{name}")


async def reset(session: Session, trigger_id: UUID) -> None:
    """Drop what has been counted."""
    session.actor.require_configure(ORCHESTRATOR)
    trigger = await find_by_id(session, trigger_id)
    await session.sql.run("reset_trigger", session.project, trigger_id)
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    await session.record("trigger.reset", f"{trigger['orchestration']}/{trigger['name']}")


async def explain(session: Session, trigger_id: UUID) -> dict[str, Any]:
    """Why the trigger did, or did not, start its orchestration."""
    trigger = await find_by_id(session, trigger_id)
    facts, state = await _facts(session, trigger)
    tables = [
        {
            "table": table.table,
            "counted": table.counted,
            "used": table.used,
            "updated_since_last_run": explanation.is_updated(table),
            "last_heard_at": table.last_heard_at,
            "missing_since": None if explanation.is_updated(table) else facts.last_full_run,
        }
        for table in facts.tables
    ]
    missing = [table["table"] for table in tables if not table["updated_since_last_run"]]
    return {
        "trigger_id": trigger_id,
        "orchestration": trigger["orchestration"],
        "name": trigger["name"],
        "ready": not missing,
        "tables": tables,
        "missing": missing,
        "cool_down_until": explanation.cool_down_until(facts, session.now),
        "pending_job_id": state.get("pending_job_id"),
        "last_fire": facts.last_fire,
        "summary": explanation.summarise(facts, session.now),
    }


async def _facts(session: Session, trigger: Row) -> tuple[explanation.TriggerFacts, Row]:
    state = await session.sql.one("trigger_state", trigger["id"]) or {}
    counts = await session.sql.many("trigger_counts", trigger["id"])
    fire = await session.sql.one("last_fire", trigger["id"])
    if fire is not None:
        fire["tables"] = [_fire_table(session.project, table) for table in fire["tables"]]
    facts = explanation.TriggerFacts(
        tables=[_table_facts(session.project, row) for row in counts],
        enabled=trigger["enabled"],
        cool_down_seconds=trigger["cool_down_seconds"],
        last_started_at=state.get("last_started_at"),
        pending=state.get("pending_job_id") is not None,
        last_full_run=await session.sql.value("last_full_run", session.project, trigger["orchestration"]),
        last_fire=fire,
    )
    return facts, state


def _table_facts(project: str, row: Row) -> explanation.TableFacts:
    shown = shown_table(project, row["table_project"], row["table_name"])
    return explanation.TableFacts(shown, row["counted"], row["used"], row["counted_at"], row["last_heard_at"])


def _fire_table(project: str, table: dict[str, Any]) -> dict[str, Any]:
    name = shown_table(project, table.get("project", project), table.get("table", ""))
    heard_at = table.get("heard_at")  # written by the watcher, with its offset
    shown = stamp(datetime.fromisoformat(heard_at)) if heard_at else None
    return {"table": name, "seq": table.get("seq"), "heard_at": shown}


def shown_table(project: str, table_project: str, name: str) -> str:
    """A table as seen from the project."""
    return name if table_project == project else f"{table_project}/{name}"
