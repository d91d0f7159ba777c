"""Builds the messages that announce changed jobs, from the rows of those jobs."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from orchestrator_runner import metrics
from orchestrator_runner.queue.rows import Changed, JobRow
from orchestrator_shared.contracts.events import JobsChanged, RunCreated, RunEvent, RunFinished, RunStarted
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.messaging.outbox import UnitOfWork

MOST_PER_HINT = 2_000
"""About 90 KB; consumers refuse more than 256."""


def publish_changes(work: UnitOfWork, rows: Iterable[Changed]) -> None:
    """Publish one hint per project and commit; more only if a single one would be too large for consumers."""
    revisions: dict[str, dict[Any, int]] = defaultdict(dict)
    for row in rows:
        revisions[row.project][row.id] = row.revision
    for project, changed in revisions.items():
        items = list(changed.items())
        for begin in range(0, len(items), MOST_PER_HINT):
            work.publish(JobsChanged(project=project, revisions=dict(items[begin : begin + MOST_PER_HINT])))


def publish_run(work: UnitOfWork, kind: type[RunEvent], row: JobRow) -> None:
    """Publish the transition of a run, from its row."""
    common = {
        "job_id": row.id,
        "project": row.project,
        "component": row.component,
        "configuration": row.configuration,
        "number": row.seq,
        "revision": row.revision,
        "origin": Origin(row.origin),
        "parent_id": row.parent_id,
        "root_id": row.root_id,
        "trigger_id": row.trigger_id,
        "schedule_id": row.schedule_id,
    }
    if kind is RunCreated:
        work.publish(RunCreated(**common, accepted_at=row.accepted_at))
    elif kind is RunStarted:
        work.publish(RunStarted(**common, started_at=row.started_at, full=bool(row.full_run)))
    else:
        work.publish(
            RunFinished(
                **common,
                status=row.status,
                started_at=row.started_at,
                finished_at=row.finished_at,
            )
        )
        work.after_commit(partial(_count_end, row))


def _count_end(row: JobRow) -> None:
    metrics.RUNS_FINISHED.labels(row.status).inc()
    if row.started_at is not None and row.finished_at is not None:
        metrics.RUN_SECONDS.labels(row.status).observe((row.finished_at - row.started_at).total_seconds())
