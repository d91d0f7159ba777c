"""Orchestrations as people see them: with what starts them, who hears of them, and their last run."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from orchestrator_api.adapters.sql import Row
from orchestrator_api.handlers import jobs
from orchestrator_api.session import Session
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.security import mask_secrets


async def orchestrations(session: Session, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with everything that belongs to them."""
    only = rows[0]["id"] if len(rows) == 1 else None
    project = session.project
    schedules = _grouped(await session.sql.many("schedules", project, only))
    triggers = _grouped(await session.sql.many("triggers", project, only, None, None))
    subscriptions = _grouped(await session.sql.many("subscriptions", project, only))
    names = [row["id"] for row in rows]
    last_runs = {run["configuration"]: run for run in await session.sql.many("last_runs", project, names)}
    usual = await jobs.usual_durations(session, [(ORCHESTRATOR, name) for name in names])
    return [
        _shown(
            row, schedules[row["id"]], triggers[row["id"]], subscriptions[row["id"]], last_runs.get(row["id"])
        )
        | {"usual_duration_seconds": usual.get((ORCHESTRATOR, row["id"]))}
        for row in rows
    ]


def _grouped(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["orchestration"]].append(row)
    return groups


def _shown(
    row: Row, schedules: list[Row], triggers: list[Row], subscriptions: list[Row], last_run: Row | None
) -> dict[str, Any]:
    fires = [s["next_at"] for s in schedules if s["enabled"] and row["enabled"] and s["next_at"] is not None]
    phases = mask_secrets(row["parameters"]).get("phases", [])
    return {
        **row,
        "phases": phases,
        "schedules": schedules,
        "triggers": triggers,
        "notifications": subscriptions,
        "last_run": last_run,
        "next_fire": min(fires, default=None),
        "warnings": warnings(row, phases, bool(schedules or triggers), subscriptions, last_run),
    }


def warnings(
    row: Row,
    phases: Sequence[dict[str, Any]],
    is_automatic: bool,
    subscriptions: Sequence[Row],
    last_run: Row | None,
) -> list[str]:
    """What a person should look at, though it is allowed."""
    found = []
    if not phases:
        found.append("it has no tasks yet: it cannot be run")
    if is_automatic and not any(subscription["event"] == "error" for subscription in subscriptions):
        found.append("nobody is told when it fails: subscribe somebody to its errors")
    if is_automatic and phases and last_run is None:
        found.append("it has never been run: run it by hand before it runs unattended")
    if is_automatic and not row["enabled"]:
        found.append("it is disabled: its schedules and triggers pause")
    return found
