"""Why a trigger did, or did not, start its orchestration: reading the facts that tell."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from orchestrator_api.http.session import Session
from orchestrator_api.sql import Row
from orchestrator_api.triggers.explanation import (
    Fired,
    Off,
    Since,
    TableFacts,
    TriggerFacts,
    cool_down_until,
    missing_since,
    sentences,
)
from orchestrator_api.triggers.service import find_by_id, shown_table
from orchestrator_shared.clock import stamp
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import CoolDownMode, Disposition


async def explain(session: Session, trigger_id: UUID) -> dict[str, Any]:
    """The facts, and the sentences made of them."""
    trigger = await find_by_id(session, trigger_id)
    state = await session.sql.one("trigger_state", trigger_id) or {}
    fire = await session.sql.one("last_fire", trigger_id)
    if fire is not None:
        fire["tables"] = [_fire_table(session.project, table) for table in fire["tables"]]
    facts = await _facts(session, trigger, state, fire)
    missing = [table.table for table in facts.tables if not table.is_updated]
    reasons = sentences(facts, session.now)
    return {
        "trigger_id": trigger_id,
        "orchestration": trigger["orchestration"],
        "name": trigger["name"],
        "ready": not missing,
        "tables": [_shown(facts, table) for table in facts.tables],
        "missing": missing,
        "cool_down_until": cool_down_until(facts, session.now),
        "pending_job_id": state.get("pending_job_id"),
        "last_fire": fire,
        "reasons": reasons,
        "summary": " ".join(reasons),
    }


def _shown(facts: TriggerFacts, table: TableFacts) -> dict[str, Any]:
    since = missing_since(facts, table)
    return {
        "table": table.table,
        "counted": table.counted,
        "used": table.used,
        "updated_since_last_run": table.is_updated,
        "last_heard_at": table.last_heard_at,
        "missing_since": None if since is None else since.at,
        "missing_because": None if since is None else since.what,
    }


async def _facts(session: Session, trigger: Row, state: Row, fire: Row | None) -> TriggerFacts:
    history = await session.sql.one("trigger_history", trigger["id"])
    assert history is not None, "the trigger was found"
    last_started_at = state.get("last_started_at")
    ignored = 0
    if last_started_at is not None:
        ignored = await _dropped(session, trigger["id"], last_started_at, Disposition.COOLING_DOWN)
    return TriggerFacts(
        tables=[
            TableFacts(
                shown_table(session.project, row["table_project"], row["table_name"]),
                row["counted"],
                row["used"],
                row["counted_at"],
                row["last_heard_at"],
                row["added_at"],
            )
            for row in await session.sql.many("trigger_counts", trigger["id"])
        ],
        cool_down=timedelta(seconds=trigger["cool_down_seconds"]),
        defers=trigger["mode"] == CoolDownMode.DEFER,
        created_at=history["created_at"],
        reset_at=history["reset_at"],
        off=await _off(session, trigger, history),
        last_started_at=last_started_at,
        ignored=ignored,
        full_run=await _full_run(session, trigger["orchestration"]),
        fired=None if fire is None else await _fired(session, trigger, state, fire),
    )


async def _dropped(session: Session, trigger_id: UUID, since: datetime, disposition: Disposition) -> int:
    count: int = await session.sql.value("dropped_since", trigger_id, since, disposition.value)
    return count


async def _off(session: Session, trigger: Row, history: Row) -> Off | None:
    """The trigger's own switch is named first."""
    orchestration = trigger["orchestration"]
    subject = f"{ORCHESTRATOR}/{orchestration}"
    if not trigger["enabled"]:
        what, subject = "The trigger is disabled", f"{orchestration}/{trigger['name']}"
    elif history["orchestration_deleted_at"] is not None:
        what = f"The orchestration {orchestration} is in the trash"
    elif not history["orchestration_enabled"]:
        what = f"The orchestration {orchestration} is disabled"
    else:
        return None
    since = history["off_since"]
    if since is None:
        return Off(what)
    audit = await session.sql.one("last_audit_of", session.project, subject, since) or {}
    heard = await _dropped(session, trigger["id"], since, Disposition.DISABLED)
    return Off(what, since, audit.get("actor"), audit.get("reason"), heard)


async def _full_run(session: Session, orchestration: str) -> Since | None:
    run = await session.sql.one("last_full_run", session.project, orchestration)
    if run is None:
        return None
    return Since(run["started_at"], f"{orchestration} #{run['number']} ({run['origin']}) started")


async def _fired(session: Session, trigger: Row, state: Row, fire: Row) -> Fired:
    run = await session.sql.one("run_of_fire", fire["job_id"])
    is_over = state.get("pending_job_id") != fire["job_id"]
    if run is None:
        return Fired(fire["tables"], is_over, fire["at"], started_at=fire["started_at"])
    by = f", by {run['stop_requested_by']}" if run["stop_requested_by"] else ""
    return Fired(
        tables=fire["tables"],
        is_over=is_over,
        at=fire["at"],
        name=f"{trigger['orchestration']} #{run['number']}",
        started_at=fire["started_at"],
        ended_at=run["finished_at"],
        why_not=f"{run['message'] or run['status']}{by}",
    )


def _fire_table(project: str, table: dict[str, Any]) -> dict[str, Any]:
    name = shown_table(project, table.get("project", project), table.get("table", ""))
    heard_at = table.get("heard_at")  # written by the watcher, with its offset
    shown = stamp(datetime.fromisoformat(heard_at)) if heard_at else None
    return {"table": name, "seq": table.get("seq"), "heard_at": shown}
