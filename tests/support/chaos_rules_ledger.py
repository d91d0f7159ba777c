"""What the tasks' own ledger must not show: overlaps, wrong order, too many at once, life after the end."""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from uuid import UUID

from tests.support.chaos_evidence import Evidence
from tests.support.chaos_ledger import Execution


def broken_by_tasks(evidence: Evidence) -> Iterator[str]:
    """Every sentence is a broken promise."""
    yield from overlaps(evidence.executions)
    yield from started_twice(evidence.executions)
    yield from outlived(evidence)
    yield from out_of_order(evidence)
    yield from too_many(evidence)
    yield from overlapping_runs(evidence)
    yield from mixed_phases(evidence)


def overlaps(executions: Iterable[Execution]) -> Iterator[str]:
    """Executions of one configuration that were alive at the same time."""
    groups: dict[tuple[str, str], list[Execution]] = defaultdict(list)
    for execution in executions:
        groups[execution.project, execution.configuration].append(execution)
    for group in groups.values():
        group.sort(key=lambda each: each.first)
        latest = group[0]
        for execution in group[1:]:
            if execution.first < latest.last:
                yield f"{execution.configuration} overlaps: {latest} and {execution}"
            latest = max(latest, execution, key=lambda each: each.last)


def started_twice(executions: Iterable[Execution]) -> Iterator[str]:
    """Attempts that had more than one process."""
    seen: set[tuple[UUID, int]] = set()
    for execution in executions:
        key = (execution.job_id, execution.attempt)
        if key in seen:
            yield f"{execution.job_id} attempt {execution.attempt} was started twice"
        seen.add(key)


def outlived(evidence: Evidence) -> Iterator[str]:
    """Tasks that ran before their attempt was claimed, or after the database had it over: by a takeover
    before the keeper ended them, or by a write of who no longer owned the job."""
    for execution in evidence.executions:
        attempt = evidence.attempts.get((execution.job_id, execution.attempt))
        if attempt is None:
            yield f"the database knows no such attempt: {execution}"
        elif attempt["finished_at"] is not None:
            late = execution.wall_last - attempt["finished_at"].timestamp()
            if late > 0:
                yield f"alive {late:.3f} s after its end was recorded ({attempt['outcome']}): {execution}"
            if execution.wall_first < attempt["started_at"].timestamp():
                yield f"alive before it was claimed: {execution}"


def out_of_order(evidence: Evidence) -> Iterator[str]:
    """Jobs of a configuration whose first attempts did not start in the order of acceptance."""
    for jobs in evidence.lanes("component").values():
        firsts = [each for job in jobs for each in evidence.by_job.get(job["id"], ()) if each.attempt == 1]
        for earlier, later in itertools.pairwise(firsts):
            if later.first < earlier.first:
                yield f"{later.configuration}: {later.job_id} overtook {earlier.job_id}"
    for jobs in evidence.lanes("run").values():
        begun = [job for job in jobs if job["started_at"] is not None]
        for one, other in itertools.pairwise(begun):
            if other["started_at"] < one["finished_at"]:
                yield f"{other['configuration']}: run {other['id']} began before {one['id']} was over"


def too_many(evidence: Evidence) -> Iterator[str]:
    """More tasks at once than a project's limit or a runner's slots allow."""
    by_project: dict[str, list[Execution]] = defaultdict(list)
    by_replica: dict[Hashable, list[Execution]] = defaultdict(list)
    for execution in evidence.executions:
        by_project[execution.project].append(execution)
        if attempt := evidence.attempts.get((execution.job_id, execution.attempt)):
            by_replica[attempt["replica_id"]].append(execution)
    for project, limit in evidence.limits.items():
        if (most := most_at_once(by_project[project])) > limit:
            yield f"{most} tasks at once in {project}, whose limit is {limit}"
    for replica, executions in by_replica.items():
        if (most := most_at_once(executions)) > evidence.slots:
            yield f"{most} tasks at once on replica {replica} with {evidence.slots} slots"


def most_at_once(executions: Sequence[Execution]) -> int:
    """How many were alive at the same time, at most."""
    events = [(each.first, 1) for each in executions] + [(each.last, -1) for each in executions]
    return max(itertools.accumulate(change for _, change in sorted(events)), default=0)


def overlapping_runs(evidence: Evidence) -> Iterator[str]:
    """Two runs of one orchestration at the same time, as all tasks below them saw it."""
    spans: dict[int, list[tuple[float, float, UUID]]] = defaultdict(list)
    for run, below in _below(evidence).items():
        first = min(execution.first for _, execution in below)
        last = max(execution.last for _, execution in below)
        spans[evidence.jobs[run]["lane_id"]].append((first, last, run))
    for group in spans.values():
        for one, other in itertools.pairwise(sorted(group)):
            if other[0] < one[1]:
                yield f"runs of one orchestration overlap: {one} and {other}"


def mixed_phases(evidence: Evidence) -> Iterator[str]:
    """A phase that began before the one before it was over."""
    for run, below in _below(evidence).items():
        ends: dict[int, float] = defaultdict(float)
        for phase, execution in below:
            ends[phase] = max(ends[phase], execution.last)
        for phase, execution in below:
            for earlier, end in ends.items():
                if earlier < phase and execution.first < end:
                    yield f"run {run}: phase {phase} began before phase {earlier} was over: {execution}"


def _below(evidence: Evidence) -> dict[UUID, list[tuple[int, Execution]]]:
    """Every execution below a run, its own and those of nested runs, with the phase of that run."""
    runs: dict[UUID, list[tuple[int, Execution]]] = defaultdict(list)
    for job_id, executions in evidence.by_job.items():
        if (job := evidence.jobs.get(job_id)) is None:
            continue
        for run in evidence.ancestors(job):
            runs[run["id"]] += [(job["phase"], execution) for execution in executions]
            job = run
    return runs
