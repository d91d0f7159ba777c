"""Finds runs that wait for each other in a cycle (docs/explanation/architecture.md, 4.8)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_shared.domain.statuses import ACTIVE_STATUSES, JobStatus


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """An unfinished run.

    Only runs matter: no component job waits for a job that waits for it.
    """

    id: UUID
    lane_id: int
    seq: int
    status: JobStatus
    parent_id: UUID | None
    orchestration: str


def find_cycles(runs: Iterable[UnfinishedRun]) -> list[list[UnfinishedRun]]:
    """Find every wait cycle, each as its runs in the order in which they wait; cycles share no run."""
    known = {run.id: run for run in runs}
    waits = who_waits(known)
    done: set[UUID] = set()
    cycles = []
    for start in sorted(known):
        path: dict[UUID, None] = {}
        cycle = _walk(start, waits, done, path)
        if cycle:
            cycles.append([known[run] for run in cycle])
    return cycles


def who_waits(known: Mapping[UUID, UnfinishedRun]) -> dict[UUID, list[UUID]]:
    """Maps each run to the runs it waits for.

    A waiting run waits for the run that holds its lane and for those before it; a started one waits for its
    children.
    """
    holders = {run.lane_id: run.id for run in known.values() if run.status in ACTIVE_STATUSES}
    waits: dict[UUID, list[UUID]] = defaultdict(list)
    for run in known.values():
        if run.parent_id is not None and run.parent_id in known:
            waits[run.parent_id].append(run.id)
        if run.status is JobStatus.WAITING:
            holder = holders.get(run.lane_id)
            waits[run.id] += [] if holder is None else [holder]
    return waits


def _walk(
    start: UUID, waits: Mapping[UUID, list[UUID]], done: set[UUID], path: dict[UUID, None]
) -> list[UUID] | None:
    """Depth-first search without recursion; returns the first cycle found, or None."""
    stack: list[tuple[UUID, Iterable[Any]]] = [] if start in done else [(start, iter(waits.get(start, ())))]
    if stack:
        path[start] = None
    while stack:
        run, others = stack[-1]
        for other in others:
            if other in path:
                line = list(path)
                done.update(line)
                return line[line.index(other) :]
            if other not in done:
                path[other] = None
                stack.append((other, iter(waits.get(other, ()))))
                break
        else:
            stack.pop()
            path.pop(run)
            done.add(run)
    return None


def victim(cycle: list[UnfinishedRun]) -> UnfinishedRun:
    """The youngest waiting run that has a parent: ending it lets the parent go on."""
    return max(
        (run for run in cycle if run.status is JobStatus.WAITING and run.parent_id is not None),
        key=lambda run: run.id,
    )


def describe(cycle: list[UnfinishedRun]) -> str:
    """Describe the cycle by the names of its orchestrations."""
    names = [run.orchestration for run in cycle]
    return "these runs wait for each other: " + " → ".join([*names, names[0]])
