"""What must hold for every run and request: roll-up, selection, retries, overlap policies, nothing lost."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from tests.support.chaos_evidence import Evidence, brief
from tests.support.chaos_rules_jobs import STOPPED

FAILED = {"error", "terminated", "cancelled"}
STOP_SECONDS = 60
"""After a confirmed wish to stop it, and this time, no attempt of a job may begin."""


def broken_by_runs(evidence: Evidence) -> Iterator[str]:
    """Every sentence is a broken promise."""
    yield from (f"left behind: {count} {name}" for name, count in evidence.untidy.items())
    yield from _lost(evidence)
    for job in evidence.jobs.values():
        if job["kind"] == "run":
            yield from (f"{problem}: {brief(job)}" for problem in _run_problems(evidence, job))
    yield from _wrong_selections(evidence)
    yield from _wrong_retries(evidence)
    yield from _wrong_backfills(evidence)
    yield from _wrong_records(evidence)
    yield from _wrong_policies(evidence)
    yield from _overlooked_stops(evidence)


def _lost(evidence: Evidence) -> Iterator[str]:
    roots = {job["id"] for job in evidence.jobs.values() if job["parent_id"] is None}
    known, asked = roots | evidence.records.keys(), set(evidence.asked.jobs)
    yield from (f"a request was lost: {job}" for job in asked - known)
    yield from (f"nobody asked for {job}" for job in known - asked)
    yield from (
        f"the ledger knows {job}, the database does not"
        for job in evidence.by_job.keys() - evidence.jobs.keys()
    )


def _run_problems(evidence: Evidence, job: asyncpg.Record) -> Iterator[str]:
    tasks = evidence.tasks.get(job["id"], [])
    for task in tasks:
        child = evidence.jobs.get(task["job_id"]) if task["job_id"] else None
        if task["job_id"] and (child is None or child["status"] != task["status"]):
            yield f"task {task['task_id']} is {task['status']}, its job is not"
        if not task["job_id"] and task["status"] != ("not_executed" if task["active"] else "skipped"):
            yield f"task {task['task_id']} is {task['status']} without a job"
        if child is not None and not child["finished_at"] <= job["finished_at"]:
            yield f"it ended before its task {task['task_id']}"
    if job["status"] in STOPPED:
        if not evidence.was_stopped(job):
            yield "stopped, but nobody asked"
        return
    expected = _expected_status([task for task in tasks if task["active"]])
    if job["status"] != expected:
        yield f"should be {expected}"
    if job["status"] in ("success", "warning") and any(task["status"] == "not_executed" for task in tasks):
        yield "it ended well, but did not reach all tasks"


def _expected_status(active: Sequence[asyncpg.Record]) -> str:
    failed = [task for task in active if task["status"] in FAILED]
    if any(not task["continue_on_failure"] for task in failed):
        return "error"
    flawed = failed or any(task["status"] == "warning" for task in active)
    return "warning" if flawed else "success"


def _wrong_selections(evidence: Evidence) -> Iterator[str]:
    """Runs that did not execute exactly the tasks they were told to."""
    for run, selection in evidence.asked.selections.items():
        tasks = evidence.tasks.get(run, [])
        active = {task["task_id"] for task in tasks if task["active"]}
        if tasks and active != set(selection):
            yield f"run {run} executes {sorted(active)}, but {sorted(selection)} were chosen"


def _wrong_retries(evidence: Evidence) -> Iterator[str]:
    """Retries that are not linked to what they repeat, or do not keep its time."""
    for retry, original in evidence.asked.retries.items():
        job, repeated = evidence.jobs.get(retry), evidence.jobs[original]
        if job is None:
            continue  # told as lost
        if (job["retry_of"], job["origin"]) != (original, "retry"):
            yield f"retry {retry} of {original} is linked to {job['retry_of']}, origin {job['origin']}"
        if job["scheduled_for"] != repeated["scheduled_for"]:
            yield f"retry {retry} is for {job['scheduled_for']}, not for {repeated['scheduled_for']}"
        if job["accepted_at"] < repeated["finished_at"]:
            yield f"{retry} was accepted before {original} was over"


def _wrong_backfills(evidence: Evidence) -> Iterator[str]:
    for backfill in evidence.asked.backfills:
        numbers = [evidence.jobs[job]["seq"] for job in backfill if job in evidence.jobs]
        if numbers != sorted(numbers) or len(numbers) != len(backfill):
            yield f"a backfill is not in order: {numbers} of {len(backfill)}"


def _wrong_records(evidence: Evidence) -> Iterator[str]:
    """Merges and skips, each visible, each because of a job that stood in the way at that moment."""
    for job, record in evidence.records.items():
        request, into = evidence.asked.requests.get(job), evidence.jobs.get(record["into_job_id"])
        if request is None or into is None:
            yield f"a record of {job} without a request, or into nothing: {dict(record)}"
            continue
        policy = {"merged": "one_waiting", "skipped": "skip"}[record["decision"]]
        if (request.overlap, request.configuration) != (policy, into["configuration"]):
            yield f"{record['decision']}, but its policy is {request.overlap}: {dict(record)}"
        until = _began(into) if policy == "one_waiting" else into["finished_at"]
        if not into["accepted_at"] <= record["at"] <= until:
            yield f"{record['decision']} for a job that was not there then: {dict(record)}, {brief(into)}"
        if policy == "one_waiting" and into["scheduled_for"] < record["scheduled_for"]:
            yield f"merged, but the newest time was not taken: {dict(record)}, {into['scheduled_for']}"


def _wrong_policies(evidence: Evidence) -> Iterator[str]:
    """Fires that became a run although their policy forbade that."""
    fires = evidence.asked.requests
    for jobs in evidence.lanes("run").values():
        waiting: dict[UUID, datetime] = {}
        busy_until: datetime | None = None
        for job in jobs:
            policy = fires[job["id"]].overlap if job["id"] in fires else "queue"
            schedule, accepted = job["schedule_id"], job["accepted_at"]
            if policy == "skip" and busy_until is not None and accepted < busy_until:
                yield f"became a run, although the orchestration was busy: {brief(job)}"
            if policy == "one_waiting" and schedule in waiting and accepted < waiting[schedule]:
                yield f"became a run, although one of its schedule waited: {brief(job)}"
            if job["origin"] == "schedule":
                waiting[schedule] = max(waiting.get(schedule, accepted), _began(job))
            busy_until = max(filter(None, (busy_until, job["finished_at"])))


def _began(job: asyncpg.Record) -> datetime:
    """When a run no longer waited."""
    found: datetime = job["started_at"] or job["finished_at"]
    return found


def _overlooked_stops(evidence: Evidence) -> Iterator[str]:
    stopped = evidence.asked.stopped
    for job, executions in evidence.by_job.items():
        for execution in executions:
            if execution.wall_first > stopped.get(job, float("inf")) + STOP_SECONDS:
                yield f"began long after it was to be stopped: {execution}"
