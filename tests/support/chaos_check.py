"""What must hold after a chaos run: the tasks' own ledger against the database's records."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from tests.support.chaos_ledger import Execution, overlaps, started_twice
from tests.support.chaos_load import BRITTLE, STEADY
from tests.support.databases import Database

from orchestrator_runner.domain.lifecycle import MAX_FREE_ATTEMPTS

FAILED = {"error", "terminated", "cancelled"}
STOPPED = {"terminated", "cancelled"}

WATCH = """
CREATE TABLE public.revived (job_id uuid, before text, after text);
CREATE FUNCTION public.note_revived() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.revived VALUES (OLD.id, OLD::text, NEW::text);
    RETURN NEW;
END $$;
CREATE TRIGGER note_revived AFTER UPDATE ON jobs.jobs FOR EACH ROW
WHEN (OLD.finished_at IS NOT NULL AND
      (OLD.status, OLD.finished_at, OLD.attempt, OLD.free_attempts, OLD.message, OLD.output_tables)
      IS DISTINCT FROM
      (NEW.status, NEW.finished_at, NEW.attempt, NEW.free_attempts, NEW.message, NEW.output_tables))
EXECUTE FUNCTION public.note_revived();
"""
"""The database itself notes every change of a finished job: no look at the right moment is needed."""


@dataclass
class Evidence:
    """All that is known at the end."""

    jobs: dict[UUID, asyncpg.Record]
    tasks: list[asyncpg.Record]
    revived: list[asyncpg.Record]
    executions: Sequence[Execution]
    requested: set[UUID]
    terminated: set[UUID]
    by_job: dict[UUID, list[Execution]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for execution in self.executions:
            self.by_job[UUID(execution.job_id)].append(execution)

    def was_stopped(self, job: asyncpg.Record) -> bool:
        """By request, itself or what it belongs to."""
        asked = {job["id"], job["parent_id"]} & self.terminated
        return bool(asked) or job["stop_requested_at"] is not None


async def gather(
    database: Database, executions: Sequence[Execution], requested: set[UUID], terminated: set[UUID]
) -> Evidence:
    """Read everything once, at rest."""
    jobs = await database.fetch("SELECT * FROM jobs.jobs")
    tasks = await database.fetch("SELECT * FROM jobs.tasks WHERE active")
    revived = await database.fetch("SELECT * FROM public.revived")
    return Evidence({job["id"]: job for job in jobs}, tasks, revived, executions, requested, terminated)


def faults_found(evidence: Evidence) -> list[str]:
    """Every sentence is a broken promise."""
    found = overlaps(evidence.executions) + started_twice(evidence.executions)
    found += [f"finished is not final: {dict(row)}" for row in evidence.revived]
    found += _lost(evidence)
    for job in evidence.jobs.values():
        problems = _run_problems(evidence, job) if job["kind"] == "run" else _job_problems(evidence, job)
        found += [f"{problem}: {_brief(job)}, {evidence.by_job.get(job['id'])}" for problem in problems]
    return found + _overlapping_runs(evidence) + _mixed_phases(evidence)


def _brief(job: asyncpg.Record) -> dict[str, Any]:
    names = ("id", "component", "configuration", "status", "message", "attempt", "free_attempts", "parent_id")
    return {name: str(job[name]) for name in names}


def _lost(evidence: Evidence) -> list[str]:
    roots = {job["id"] for job in evidence.jobs.values() if job["parent_id"] is None}
    found = [f"a request was lost: {job}" for job in evidence.requested - roots]
    found += [f"nobody asked for {job}" for job in roots - evidence.requested]
    found += [
        f"the ledger knows {job}, the database does not" for job in set(evidence.by_job) - set(evidence.jobs)
    ]
    return found


def _job_problems(evidence: Evidence, job: asyncpg.Record) -> list[str]:
    executions = evidence.by_job.get(job["id"], [])
    ended = [execution.attempt for execution in executions if execution.ended]
    charged = job["attempt"] - job["free_attempts"]
    rules = {
        "has not ended": job["finished_at"] is not None,
        "more free attempts than allowed": job["free_attempts"] <= MAX_FREE_ATTEMPTS,
        "more attempts than allowed": charged <= job["max_attempts"],
        "the ledger knows an attempt that was never made": all(
            execution.attempt <= job["attempt"] for execution in executions
        ),
        "success without an end of its last attempt": job["status"] != "success" or job["attempt"] in ended,
        "cancelled, but it ran": job["status"] != "cancelled" or not executions,
        "stopped, but nobody asked": job["status"] not in STOPPED or evidence.was_stopped(job),
        "repeated, although that is not safe": job["component"] != BRITTLE or len(executions) <= 1,
        "safe to repeat, but failed": job["component"] != STEADY
        or job["status"] != "error"
        or job["free_attempts"] == MAX_FREE_ATTEMPTS,
        "failed for another reason than its runner": job["status"] != "error"
        or job["message"].startswith("runner "),
    }
    return [what for what, holds in rules.items() if not holds]


def _run_problems(evidence: Evidence, job: asyncpg.Record) -> list[str]:
    if job["finished_at"] is None:
        return ["has not ended"]
    if job["status"] in STOPPED:
        return [] if evidence.was_stopped(job) else ["stopped, but nobody asked"]
    tasks = [task for task in evidence.tasks if task["run_id"] == job["id"]]
    problems = [
        f"task {task['task_id']} is {task['status']}, its job is not"
        for task in tasks
        if task["job_id"] and evidence.jobs[task["job_id"]]["status"] != task["status"]
    ]
    expected = _expected_status(tasks)
    return problems if job["status"] == expected else [*problems, f"should be {expected}"]


def _expected_status(tasks: Sequence[asyncpg.Record]) -> str:
    failed = [task for task in tasks if task["status"] in FAILED]
    if any(not task["continue_on_failure"] for task in failed):
        return "error"
    return "warning" if failed else "success"


def _children(evidence: Evidence) -> dict[UUID, list[tuple[int, Execution]]]:
    """The executions of every run, with their phases."""
    runs: dict[UUID, list[tuple[int, Execution]]] = defaultdict(list)
    for job_id, executions in evidence.by_job.items():
        job = evidence.jobs.get(job_id)
        if job and job["parent_id"]:
            runs[job["parent_id"]] += [(job["phase"], execution) for execution in executions]
    return runs


def _overlapping_runs(evidence: Evidence) -> list[str]:
    """Two runs of one orchestration at the same time, as their tasks saw it."""
    spans: dict[str, list[tuple[float, float, UUID]]] = defaultdict(list)
    for run, children in _children(evidence).items():
        first = min(execution.first for _, execution in children)
        last = max(execution.last for _, execution in children)
        spans[evidence.jobs[run]["configuration"]].append((first, last, run))
    found = []
    for name, group in spans.items():
        group.sort()
        pairs = itertools.pairwise(group)
        found += [f"runs of {name} overlap: {one} and {other}" for one, other in pairs if other[0] < one[1]]
    return found


def _mixed_phases(evidence: Evidence) -> list[str]:
    """A phase that began before the one before it was over."""
    found = []
    for run, children in _children(evidence).items():
        ends: dict[int, float] = defaultdict(float)
        for phase, execution in children:
            ends[phase] = max(ends[phase], execution.last)
        found += [
            f"run {run}: phase {phase} began before phase {earlier} was over: {execution}"
            for phase, execution in children
            for earlier, end in ends.items()
            if earlier < phase and execution.first < end
        ]
    return found


def figures(evidence: Evidence) -> dict[str, Any]:
    """What came of the jobs, and how often they were disturbed."""
    jobs = evidence.jobs.values()
    components = [job for job in jobs if job["kind"] == "component"]
    return {
        "jobs": len(jobs),
        "runs": len(jobs) - len(components),
        "processes": len(evidence.executions),
        "cut short": sum(not execution.ended for execution in evidence.executions),
        "attempts not charged": sum(job["free_attempts"] for job in components),
        "most for one job": max((job["free_attempts"] for job in components), default=0),
        "statuses": dict(Counter(job["status"] for job in jobs)),
    }
