"""What must hold for every job of a component: its attempts, its result, its log."""

import itertools
from collections.abc import Iterator

import asyncpg
from tests.support.chaos_catalog import BRITTLE, STEADY
from tests.support.chaos_evidence import Evidence, brief
from tests.support.chaos_ledger import Execution

from orchestrator_runner.runs.lifecycle import MAX_FREE_ATTEMPTS

STOPPED = {"terminated", "cancelled"}
RUNNER_FAULTS = ("runner lost", "its runner was stopped")
MEANT_TO_FAIL = "the first attempt fails"


def broken_by_jobs(evidence: Evidence) -> Iterator[str]:
    """Every sentence is a broken promise."""
    for row in evidence.revived:
        yield f"finished is not final: {dict(row)}"
    for job in evidence.jobs.values():
        if job["kind"] == "component":
            executions = evidence.by_job.get(job["id"], [])
            for problem in (*_job_problems(evidence, job), *_attempt_problems(evidence, job)):
                yield f"{problem}: {brief(job)}, {executions}"
    for execution in evidence.executions:
        for problem in _log_problems(evidence, execution):
            yield f"{problem}: {execution}"


def _job_problems(evidence: Evidence, job: asyncpg.Record) -> list[str]:
    executions = evidence.by_job.get(job["id"], [])
    ended = [execution.attempt for execution in executions if execution.ended]
    charged = job["attempt"] - job["free_attempts"]
    status, message = job["status"], job["message"] or ""
    rules = {
        "more free attempts than allowed": job["free_attempts"] <= MAX_FREE_ATTEMPTS,
        "more attempts than allowed": charged <= job["max_attempts"],
        "the ledger knows an attempt that was never made": all(
            execution.attempt <= job["attempt"] for execution in executions
        ),
        "success without an end of its last attempt": status != "success" or job["attempt"] in ended,
        "the result is another attempt's": status != "success"
        or message.startswith(f"attempt {job['attempt']} wrote "),
        "cancelled, but it ran": status != "cancelled" or not executions,
        "stopped, but nobody asked": status not in STOPPED or evidence.was_stopped(job),
        "repeated, although that is not safe": job["component"] != BRITTLE or len(executions) <= 1,
        "failed for another reason than its runner": status != "error"
        or message.startswith(RUNNER_FAULTS)
        or (message == MEANT_TO_FAIL and job["attempt"] == 1),
        "safe to repeat, but failed": job["component"] != STEADY
        or status != "error"
        or message == MEANT_TO_FAIL
        or job["free_attempts"] == MAX_FREE_ATTEMPTS,
    }
    return [what for what, holds in rules.items() if not holds]


def _attempt_problems(evidence: Evidence, job: asyncpg.Record) -> Iterator[str]:
    made = [
        evidence.attempts[job["id"], number]
        for number in range(1, job["attempt"] + 1)
        if (job["id"], number) in evidence.attempts
    ]
    if len(made) != job["attempt"] or (job["id"], job["attempt"] + 1) in evidence.attempts:
        yield "its attempts are not recorded one by one"
    if job["status"] in ("success", "error") and made and made[-1]["outcome"] != job["status"]:
        yield f"its last attempt is recorded as {made[-1]['outcome']}"
    for one, other in itertools.pairwise(made):
        if other["started_at"] < one["finished_at"]:
            yield f"attempt {other['attempt']} was claimed before the one before it was over"
    lost = sum(each["outcome"] == "lost" for each in made)
    if not lost <= job["free_attempts"] <= lost + (job["status"] == "terminated"):
        yield f"{lost} of its attempts are recorded as lost"


def _log_problems(evidence: Evidence, execution: Execution) -> Iterator[str]:
    """Numbered without a gap, and whole where the task came to its own end."""
    rows = evidence.logs.get((execution.job_id, execution.attempt), [])
    if [row["seq"] for row in rows] != list(range(1, len(rows) + 1)):
        yield f"its log has the numbers {[row['seq'] for row in rows]}"
    lines = "".join(row["text"] for row in rows if row["stream"] == "stdout").splitlines()
    attempt, count = execution.attempt, len(lines)
    recorded = evidence.attempts.get((execution.job_id, attempt))
    is_whole = recorded is not None and (
        recorded["outcome"] == "success" or recorded["message"] == MEANT_TO_FAIL
    )
    if is_whole:
        expected = [f"attempt {attempt} line {number}" for number in range(1, count)]
        expected.append(f"attempt {attempt} wrote {count - 1} lines")
    else:
        numbered = [f"attempt {attempt} line {number}" for number in range(1, count + 1)]
        expected = numbered if lines == numbered else [*numbered[:-1], *lines[-1:]]  # cut short anywhere
    if lines != expected or (is_whole and not lines):
        yield f"its log says {lines[-3:]}, {count} lines"
