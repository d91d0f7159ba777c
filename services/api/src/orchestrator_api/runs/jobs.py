"""Reads jobs, and requests that the runner has not accepted yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.session import Session
from orchestrator_api.runs.filters import JobFilter, JobPage
from orchestrator_api.runs.job_times import expected_end, moments_of, waits_of
from orchestrator_api.runs.overlaps import DECIDED, Overlap
from orchestrator_api.runs.redaction import redacted_job, redacted_task
from orchestrator_api.runs.rows import (
    MOST_COUNTED,
    FailedTask,
    Job,
    JobDetails,
    LastJob,
    LastRun,
    LogChunk,
    RunCounts,
    UnfinishedRun,
    UnsolvedFailure,
    WaitingJob,
)
from orchestrator_api.runs.store import Pairs, RunStore
from orchestrator_api.runs.tasks import RunPhase, RunTask, phases_of, task_of, with_usual
from orchestrator_api.runs.waiting import Waiting, explain_waiting
from orchestrator_shared.database.rows import JsonObject, columns_of
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.merging import deep_merge
from orchestrator_shared.domain.statuses import FINAL_STATUSES
from orchestrator_shared.security import mask_secrets

LOG_BYTES = 4 * 1024 * 1024
"""The approximate size of the log text in one response; 500 full chunks would be 32 MiB."""

MOST_TABLES = 1_000


async def find(session: Session, job_id: UUID) -> Job:
    """The job, or its request shown as a job with status created; raises NotFound otherwise.

    A token that may only run sees only the runs that it started, and the jobs below them.
    """
    job = await _find(session, job_id)
    if job is None or not await _is_visible(session, job_id, job.root_id):
        raise NotFound(f"there is no job {job_id} in this project", field="job")
    return job


async def numbered(session: Session, orchestration: str, number: int) -> UUID:
    """The id of the orchestration's run with this number; raises NotFound as `find` does."""
    store = RunStore(session.connection)
    job_id = await store.run_by_number(project=session.project, orchestration=orchestration, number=number)
    job = None if job_id is None else await store.job(project=session.project, job_id=job_id)
    if job is None or not await _is_visible(session, job.id, job.root_id):
        raise NotFound(f"there is no run {number} of {orchestration} in this project", field="number")
    return job.id


async def _is_visible(session: Session, job_id: UUID, root: UUID) -> bool:
    actor = session.actor
    if actor.reads_project:
        return True
    if actor.own_job is not None:
        return job_id in actor.own_job.readable
    store = RunStore(session.connection)
    return await store.is_own_run(project=session.project, token_id=actor.token_id, job_id=root)


async def _find(session: Session, job_id: UUID) -> Job | None:
    store = RunStore(session.connection)
    job = await store.job(project=session.project, job_id=job_id)
    if job is not None:
        return job
    overlap = await store.overlap(project=session.project, job_id=job_id)
    return None if overlap is None else Job.of_overlap(overlap)


async def listing(session: Session, wanted: JobFilter) -> JobPage:
    """One page of the jobs, with masked parameters and what they wait for."""
    store = RunStore(session.connection)
    actor = session.actor
    if actor.reads_project:
        found = await store.jobs(project=session.project, wanted=wanted)
    elif wanted.parent is None and wanted.root is None:
        found = await store.own_runs(project=session.project, token_id=actor.token_id, wanted=wanted)
    elif await _are_visible(session, wanted.parent, wanted.root):
        found = await store.jobs(project=session.project, wanted=wanted.without_messages())
    else:
        return JobPage([], None)
    return replace(found, jobs=await _completed(session, found.jobs))


async def _are_visible(session: Session, parent: UUID | None, root: UUID | None) -> bool:
    """Whether the jobs below these belong to a run that the token started."""
    if parent is not None:
        store = RunStore(session.connection)
        root_of_parent = await store.root_of_job(project=session.project, job_id=parent)
        if root_of_parent is None or root not in (None, root_of_parent):
            return False
        root = root_of_parent
    return root is not None and await _is_visible(session, root, root)


async def _completed(session: Session, jobs: Iterable[Job]) -> list[Job]:
    """The jobs as the caller may see them: secrets masked, the reason for waiting added."""
    listed = list(jobs)
    reasons = await _waiting(session, [job.id for job in listed if job.status == "waiting"])
    whole = [
        replace(job, parameters=mask_secrets(job.parameters), waiting=reasons.get(job.id)) for job in listed
    ]
    return whole if session.actor.reads_project else [redacted_job(job) for job in whole]


async def detail(session: Session, job_id: UUID) -> JobDetails:
    """One job with everything that belongs to it."""
    found = await find(session, job_id)
    (job,) = await _completed(session, [found])
    store = RunStore(session.connection)
    attempts = await store.attempts(project=session.project, job_id=job_id)
    waits = None if job.status in DECIDED else waits_of(moments_of(job, attempts), session.now)
    if not session.actor.reads_project:
        return JobDetails(**columns_of(job), waits=waits)
    key = (job.component, job.configuration)
    usual = (await usual_durations(session, [key])).get(key)
    return JobDetails(
        **columns_of(job),
        parameters_as_run=await _as_run(session, job),
        retries=await store.retries(project=session.project, job_id=job_id),
        attempts=attempts,
        waits=waits,
        usual_duration_seconds=usual,
        expected_end=expected_end(job.status, job.started_at, usual),
        ran_as=await store.ran_as(project=session.project, job_id=job_id) if job.started_at else None,
        updates_used=await store.updates_used(project=session.project, job_id=job_id)
        if job.trigger_id
        else (),
        tables_written=await _tables_written(store, session.project, job),
    )


async def _tables_written(store: RunStore, project: str, job: Job) -> list[str]:
    if job.started_at is None or (not job.is_run and not job.output_tables):
        return []
    found = await store.tables_written(project=project, job_id=job.id, limit=MOST_TABLES)
    return [each.name for each in found]


async def _as_run(session: Session, job: Job) -> JsonObject | None:
    """The parameters of the version that ran, with the job's own merged over them."""
    if job.kind == "run" or job.version is None:
        return None
    key = Key(job.component, job.configuration)
    stored = await configurations.find_version(session, key, job.version)
    if stored is None:
        return None
    merged: JsonObject = mask_secrets(deep_merge(stored.parameters, job.parameters))
    return merged


async def usual_durations(session: Session, wanted: Pairs) -> dict[tuple[str, str], float]:
    """The average duration of the last successful jobs of these configurations, in seconds."""
    found = await RunStore(session.connection).usual_durations(project=session.project, wanted=wanted)
    return {(each.component, each.configuration): round(each.seconds, 3) for each in found}


async def are_unfinished(session: Session, key: Key) -> bool:
    """Whether a job of the configuration waits, runs, or was requested and not accepted yet."""
    store = RunStore(session.connection)
    return await store.has_unfinished_jobs(
        project=session.project, component=key.component, configuration=key.id
    )


async def has_finished_run(session: Session, orchestration: str) -> bool:
    """Whether a run of the orchestration has started and finished, however it ended."""
    store = RunStore(session.connection)
    return await store.has_finished_run(project=session.project, orchestration=orchestration)


async def last_runs(
    session: Session, orchestrations: Sequence[str], count: int = 1
) -> dict[str, list[LastRun]]:
    """The newest runs of each of these orchestrations that has run, newest first."""
    store = RunStore(session.connection)
    found = await store.last_runs(project=session.project, orchestrations=orchestrations, count=count)
    runs: dict[str, list[LastRun]] = {}
    for run in found:
        runs.setdefault(run.configuration, []).append(run)
    return runs


async def run_counts(session: Session, orchestration: str) -> RunCounts:
    """How many runs it has and how they ended; of the newest thousand."""
    return await RunStore(session.connection).run_counts(
        project=session.project, orchestration=orchestration, most=MOST_COUNTED
    )


async def last_jobs(session: Session, wanted: Pairs) -> dict[tuple[str, str], LastJob]:
    """The newest job of each of these configurations that has one."""
    found = await RunStore(session.connection).last_jobs(project=session.project, wanted=wanted)
    return {(each.component, each.configuration): each for each in found}


async def unsolved_failures(session: Session, *, limit: int) -> list[UnsolvedFailure]:
    """The newest failure of each orchestration, unless a later run of it went well."""
    store = RunStore(session.connection)
    return await store.unsolved_failures(project=session.project, limit=limit)


async def first_failed_tasks(session: Session, runs: Sequence[UUID]) -> dict[UUID, FailedTask]:
    """The task that failed first in each of these runs."""
    store = RunStore(session.connection)
    return {each.id: each for each in await store.first_failed_tasks(project=session.project, runs=runs)}


async def long_unfinished_runs(session: Session, *, seconds: float, limit: int) -> list[UnfinishedRun]:
    """Runs that have waited or worked for longer than this, and what was usual before them."""
    store = RunStore(session.connection)
    return await store.long_unfinished_runs(project=session.project, seconds=seconds, limit=limit)


async def overlaps(
    session: Session, orchestration: str, before: tuple[datetime | None, UUID | None], limit: int
) -> list[Overlap]:
    """Requests of an orchestration that were merged into a waiting run or skipped, newest first."""
    at, last_id = before
    return await RunStore(session.connection).overlaps(
        project=session.project, orchestration=orchestration, before=at, before_id=last_id, limit=limit
    )


async def waiting_facts(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, WaitingJob]:
    """What is known about each of these jobs that waits."""
    if not job_ids:
        return {}
    found = await RunStore(session.connection).waiting(project=session.project, ids=job_ids)
    return {each.id: each for each in found}


async def _waiting(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, Waiting]:
    """Why each of these jobs waits."""
    return {each.id: explain_waiting(each) for each in (await waiting_facts(session, job_ids)).values()}


async def tasks(session: Session, job_id: UUID) -> list[RunPhase]:
    """The phases and tasks of a run, with the jobs of those that were started."""
    await find(session, job_id)
    store = RunStore(session.connection)
    phases = await store.phases(project=session.project, run=job_id)
    rows = await store.tasks(project=session.project, run=job_id)
    reasons = await _waiting(
        session, [row.job_id for row in rows if row.job_id and row.job_status == "waiting"]
    )

    def read() -> list[tuple[int, RunTask]]:
        return [(row.phase, task_of(row, reasons)) for row in rows]

    found = await session.offload.run_many(len(rows), read)
    if not session.actor.reads_project:
        return phases_of(phases, [(phase, redacted_task(task)) for phase, task in found])
    of_tasks = await usual_durations(session, sorted({(row.component, row.configuration) for row in rows}))
    of_phases = await store.usual_phases(project=session.project, run=job_id)
    lengths = {each.name: round(each.seconds, 3) for each in of_phases}
    return await session.offload.run_many(
        len(rows), lambda: with_usual(phases_of(phases, found), lengths, of_tasks)
    )


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a log; `next` is where the next part begins."""

    chunks: Sequence[LogChunk]
    next: str | None
    finished: bool


async def log(session: Session, job_id: UUID, after: tuple[int, int] | None, limit: int) -> LogPart:
    """Read a part of the log.

    The job is read first: if it has ended, the log that is read afterwards is complete.
    """
    job = await find(session, job_id)
    attempt, seq = after or (None, None)
    chunks = await RunStore(session.connection).log_chunks(
        project=session.project,
        job_id=job_id,
        attempt=attempt,
        seq=seq,
        limit=limit,
        max_bytes=LOG_BYTES,
    )
    is_whole = not chunks or len(chunks) == chunks[0].total < limit
    last = (chunks[-1].attempt, chunks[-1].seq) if chunks else after
    return LogPart(
        chunks=chunks,
        next=f"{last[0]}:{last[1]}" if last else None,
        finished=job.status in FINAL_STATUSES | DECIDED and is_whole,
    )
