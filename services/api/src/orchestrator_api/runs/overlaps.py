"""Requests that the overlap policy merged or skipped, as jobs that people can ask for."""

from collections.abc import Mapping
from typing import Any

DECIDED = frozenset({"merged", "skipped"})
"""What is shown as the status of such a request; no job has it."""


def explain_overlap(record: Mapping[str, Any]) -> str:
    """What became of the request, in a sentence."""
    number = record["into_number"]
    other = f"run #{number}" if number is not None else "another run"
    if record["decision"] == "merged":
        return f"became part of {other}, which had not started yet (overlap: one_waiting)"
    return f"was not run, because {other} was not finished (overlap: skip)"


def as_job(record: Mapping[str, Any]) -> dict[str, Any]:
    """The request in the form of a job that never was."""
    return {
        "id": record["id"],
        "number": None,
        "project": record["project"],
        "component": "orchestrator",
        "configuration": record["configuration"],
        "kind": "run",
        "status": record["decision"],
        "origin": "schedule",
        "requested_by": None,
        "parent_id": None,
        "root_id": record["id"],
        "phase": None,
        "task_id": None,
        "attempt": 0,
        "max_attempts": 1,
        "scheduled_for": record["scheduled_for"],
        "previous_success": None,
        "requested_at": record["at"],
        "accepted_at": None,
        "started_at": None,
        "finished_at": record["at"],
        "version": None,
        "message": explain_overlap(record),
        "error_kind": None,
        "output_tables": [],
        "trigger_id": None,
        "schedule_id": record["schedule_id"],
        "fire_key": record["fire_key"],
        "retry_of": None,
        "parameters": {},
        "overlap": shown(record),
    }


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record for people."""
    names = ("at", "decision", "schedule_id", "schedule", "fire_key", "scheduled_for")
    job = {"id": record["into_job_id"], "number": record["into_number"], "status": record["into_status"]}
    return {
        **{name: record[name] for name in names},
        "job_id": record["id"],
        "other": job if record["into_job_id"] is not None else None,
        "detail": explain_overlap(record),
    }
