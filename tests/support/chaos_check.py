"""The account of a chaos run: every broken promise, and the figures."""

from collections import Counter, defaultdict
from typing import Any

import asyncpg
from tests.support.chaos_evidence import Evidence, brief
from tests.support.chaos_faults import Death
from tests.support.chaos_rules_jobs import broken_by_jobs
from tests.support.chaos_rules_ledger import broken_by_tasks, most_at_once
from tests.support.chaos_rules_runs import broken_by_runs


def broken_promises(evidence: Evidence) -> list[str]:
    """One sentence each."""
    unfinished = [job for job in evidence.jobs.values() if job["finished_at"] is None]
    if unfinished:  # the other rules speak of what is over
        return [f"has not ended: {brief(job)}" for job in unfinished]
    rules = (broken_by_tasks, broken_by_jobs, broken_by_runs)
    return [sentence for rule in rules for sentence in rule(evidence)]


def figures(evidence: Evidence) -> dict[str, Any]:
    """What came of the jobs, and how often they were disturbed."""
    jobs, asked = evidence.jobs.values(), evidence.asked
    components = [job for job in jobs if job["kind"] == "component"]
    narrow = {
        name: most_at_once([each for each in evidence.executions if each.project == name])
        for name in evidence.limits
    }
    return {
        "jobs": len(jobs),
        "runs": len(jobs) - len(components),
        "nested runs": sum(job["kind"] == "run" and job["depth"] > 0 for job in jobs),
        "statuses": dict(Counter(job["status"] for job in jobs)),
        "processes": len(evidence.executions),
        "cut short": sum(not execution.ended for execution in evidence.executions),
        "attempts": dict(Counter(attempt["outcome"] for attempt in evidence.attempts.values())),
        "most lost by one job": max((job["free_attempts"] for job in components), default=0),
        "requested again": asked.repeated,
        "retries": len(asked.retries),
        "partial runs": len(asked.selections.keys() - asked.retries.keys()),
        "to be stopped": len(asked.stopped),
        "merged or skipped": dict(Counter(record["decision"] for record in evidence.records.values())),
        "most at once": narrow,
        "replicas": len(evidence.replicas),
        "takeovers": takeovers(evidence),
    }


def takeovers(evidence: Evidence) -> dict[str, str]:
    """Seconds from a runner's death until its attempts were taken from it."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for death in evidence.deaths:
        seconds["stopped" if death.until < float("inf") else "killed"] += _taken_over(evidence, death)
    return {
        how: f"{len(each)}, median {sorted(each)[len(each) // 2]:.1f} s, most {max(each):.1f} s"
        for how, each in seconds.items()
        if each
    }


def _taken_over(evidence: Evidence, death: Death) -> list[float]:
    replica = _replica(evidence, death)
    if replica is None or replica["lost_at"] is None or replica["lost_at"].timestamp() > death.until:
        return []  # it came back in time: if it was lost, then by another fault
    return [
        attempt["finished_at"].timestamp() - death.at
        for attempt in evidence.attempts.values()
        if attempt["replica_id"] == replica["id"] and attempt["finished_at"] >= replica["lost_at"]
    ]


def _replica(evidence: Evidence, death: Death) -> asyncpg.Record | None:
    """The one of this name that had begun last."""
    of_this_name = [
        replica
        for replica in evidence.replicas.values()
        if replica["name"] == death.runner and replica["started_at"].timestamp() < death.at
    ]
    return max(of_this_name, key=lambda each: each["started_at"], default=None)
