"""What a token that may only run is told of its runs: status and tasks, but no parameters and no output."""

from collections.abc import Mapping
from typing import Any

_HIDDEN_DETAILS: Mapping[str, Any] = {
    "parameters_as_run": None,
    "retries": [],
    "attempts": [],
    "usual_duration_seconds": None,
    "expected_end": None,
    "overlap": None,
}


def narrowed_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """The job without what it ran with, what it wrote, and other runs of the configuration."""
    shown = {**job, "parameters": {}, "output_tables": [], "previous_success": None}
    if job["kind"] != "run":  # a run's own message names tasks; a program's is a line of its log
        shown["message"] = None
    shown["waiting"] = _narrowed_waiting(job.get("waiting"))
    return shown | {name: value for name, value in _HIDDEN_DETAILS.items() if name in job}


def narrowed_task(task: Mapping[str, Any]) -> dict[str, Any]:
    """The task's status, without the last line that its program wrote."""
    job = task["job"]
    if job is None:
        return dict(task)
    return {**task, "job": {**job, "message": None, "waiting": _narrowed_waiting(job["waiting"])}}


def _narrowed_waiting(waiting: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if waiting is None or waiting["holder"] is None:
        return None if waiting is None else dict(waiting)
    return {**waiting, "holder": None, "detail": "the configuration is busy with another job"}
