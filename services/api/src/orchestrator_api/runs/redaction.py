"""Hides parameters and output from tokens that may only run; status and tasks stay visible."""

from dataclasses import replace

from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.tasks import RunTask
from orchestrator_api.runs.waiting import Waiting


def redacted_job(job: Job) -> Job:
    """The job without its parameters, its output, and other runs of the configuration."""
    return replace(
        job,
        parameters={},
        output_tables=(),
        previous_success=None,
        # A run's own message names tasks, but a program's message is a line of its log.
        message=job.message if job.kind == "run" else None,
        waiting=_redacted_waiting(job.waiting),
        overlap=None,
    )


def redacted_task(task: RunTask) -> RunTask:
    """The task's status, without the last line and the tables that its program wrote."""
    if task.job is None:
        return task
    waiting = _redacted_waiting(task.job.waiting)
    return replace(task, job=replace(task.job, message=None, waiting=waiting, tables_written=()))


def _redacted_waiting(waiting: Waiting | None) -> Waiting | None:
    if waiting is None or waiting.holder is None:
        return waiting
    return replace(waiting, holder=None, detail="the configuration is busy with another job")
