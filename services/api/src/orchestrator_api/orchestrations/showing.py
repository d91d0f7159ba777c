"""Orchestrations as people see them: with what starts them, who hears of them, and their last run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator_api.catalog import overrides
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import masked_phases
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.orchestrations import checking
from orchestrator_api.orchestrations.checks import Findings
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import LastRun
from orchestrator_api.schedules import service as schedules
from orchestrator_api.sql import Row
from orchestrator_api.triggers import service as triggers
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.ids import ORCHESTRATOR


async def orchestrations(
    session: Session, rows: Sequence[Configuration], *, with_tables: bool = True
) -> list[dict[str, Any]]:
    """The rows with everything that belongs to them; `with_tables`: judge also who reads beside whom, and
    parameters by their schemas."""
    only = rows[0].id if len(rows) == 1 else None
    own_schedules = _grouped(await schedules.listing(session, only))
    own_triggers = _grouped(await triggers.listing(session, only))
    subscriptions: defaultdict[str, list[StoredSubscription]] = defaultdict(list)
    for each in await notifications.listing(session, only):
        subscriptions[each.orchestration].append(each)
    names = [row.id for row in rows]
    last_runs = await jobs.last_runs(session, names)
    usual = await jobs.usual_durations(session, [(ORCHESTRATOR, name) for name in names])
    masked = {row.id: masked_phases(row.parameters.get("phases", [])) for row in rows}
    found = await checking.findings(session, masked, with_tables=with_tables)
    if with_tables:
        for row in rows:
            found[row.id].errors.extend(await overrides.misfits(session, row.parameters))
    parts = [
        _shown(
            row,
            masked[row.id],
            own_schedules[row.id],
            own_triggers[row.id],
            subscriptions[row.id],
        )
        for row in rows
    ]
    return [_judged(part, last_runs.get(part["id"]), usual, found[part["id"]]) for part in parts]


def _judged(
    part: dict[str, Any], last_run: LastRun | None, usual: Mapping[tuple[str, str], float], found: Findings
) -> dict[str, Any]:
    is_automatic = bool(part["schedules"] or part["triggers"])
    own = warnings(part, part["phases"], is_automatic, part["notifications"], last_run)
    return part | {
        "last_run": last_run,
        "usual_duration_seconds": usual.get((ORCHESTRATOR, part["id"])),
        "errors": found.errors,
        "warnings": own + found.warnings,
    }


def _grouped(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["orchestration"]].append(row)
    return groups


def _shown(
    row: Configuration,
    phases: list[dict[str, Any]],
    schedules: list[Row],
    triggers: list[Row],
    subscriptions: list[StoredSubscription],
) -> dict[str, Any]:
    fires = [s["next_at"] for s in schedules if s["enabled"] and row.enabled and s["next_at"] is not None]
    return {
        **columns_of(row),
        "phases": phases,
        "schedules": schedules,
        "triggers": triggers,
        "notifications": subscriptions,
        "next_fire": min(fires, default=None),
    }


def warnings(
    row: Row,
    phases: Sequence[dict[str, Any]],
    is_automatic: bool,
    subscriptions: Sequence[StoredSubscription],
    last_run: LastRun | None,
) -> list[str]:
    """What a person should look at, though it is allowed."""
    found = []
    if not phases:
        found.append("it has no tasks yet: it cannot be run")
    if is_automatic and not any(subscription.event == "error" for subscription in subscriptions):
        found.append("nobody is told when it fails: subscribe somebody to its errors")
    if is_automatic and phases and last_run is None:
        found.append("it has never been run: run it by hand before it runs unattended")
    if is_automatic and not row["enabled"]:
        found.append("it is disabled: its schedules and triggers pause")
    return found
