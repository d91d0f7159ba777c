"""Reads a run's recorded times and says what they were spent on."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.http.session import Session
from orchestrator_api.queue.explanations import references
from orchestrator_api.queue.rows import Held, JobRef, TimelineAttempt, TimelineJob
from orchestrator_api.queue.store import QueueStore
from orchestrator_api.queue.timeline import (
    Segment,
    SegmentCause,
    near,
    seconds_by_cause,
    segments_of,
    task_segments,
    waits_in,
    waits_on,
)
from orchestrator_api.queue.verdict import Verdict, judge
from orchestrator_api.runs import jobs
from orchestrator_api.runs.job_times import WaitCause, WaitSpan
from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.tasks import RunPhase, RunTask


@dataclass(frozen=True, slots=True)
class TaskTimeline:
    """What a task of the run waited for, and when it ran."""

    id: str
    name: str
    phase: int
    status: str
    job_id: UUID | None
    is_on_longest_path: bool
    segments: Sequence[Segment]
    seconds: Mapping[SegmentCause, float]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A job's time from its request to its end; of a run, also that of each task."""

    job_id: UUID
    status: str
    begin: datetime
    end: datetime | None
    verdict: Verdict
    segments: Sequence[Segment]
    seconds: Mapping[SegmentCause, float]
    tasks: Sequence[TaskTimeline]
    holders: Sequence[JobRef]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: jobs by id, and each one's segments."""

    jobs: Mapping[UUID, TimelineJob]
    segments: Mapping[UUID, Sequence[Segment]]
    holders: Mapping[UUID, JobRef]


async def timeline(session: Session, job_id: UUID, phases: Sequence[RunPhase] | None = None) -> Timeline:
    """What a job or run waited for and for whom, task by task, and the verdict on its longest path.

    `phases` are those of the run, if the caller has read them.
    """
    job = await jobs.find(session, job_id)
    phases = await jobs.tasks(session, job_id) if phases is None else phases
    read = await _read(session, job_id)
    return await session.offload.run_many(len(read.jobs), _drawn, session.now, job, read, phases)


def _drawn(now: datetime, job: Job, read: _Read, phases: Sequence[RunPhase]) -> Timeline:
    own = read.segments.get(job.id) or _request_only(job, now)
    end = job.finished_at or now
    path = [(each, read.segments[each.id]) for each in read.jobs.values() if each.is_on_path]
    verdict = judge(
        (end - job.requested_at).total_seconds(),
        waits_on(path),
        read.holders,
        run_id=job.root_id,
        has_started=job.started_at is not None,
        is_over=job.finished_at is not None,
    )
    return Timeline(
        job_id=job.id,
        status=job.status,
        begin=job.requested_at,
        end=job.finished_at,
        verdict=verdict,
        segments=own,
        seconds=seconds_by_cause(own),
        tasks=_tasks(now, job, read, phases),
        holders=list(read.holders.values()),
    )


def _request_only(job: Job, now: datetime) -> list[Segment]:
    """Of a request that no runner has accepted."""
    return [Segment(job.requested_at, job.finished_at or now, SegmentCause.ACCEPTANCE)]


async def _read(session: Session, job_id: UUID) -> _Read:
    store = QueueStore(session.connection)
    found = {each.id: each for each in await store.timeline_jobs(project=session.project, job_id=job_id)}
    attempts: defaultdict[UUID, list[TimelineAttempt]] = defaultdict(list)
    for attempt in await store.timeline_attempts(project=session.project, ids=found):
        attempts[attempt.job_id].append(attempt)

    def waited() -> dict[UUID, Sequence[WaitSpan]]:
        return {each.id: waits_in(each, attempts[each.id], session.now) for each in found.values()}

    waits = await session.offload.run_many(len(found), waited)
    held = await _held(session, waits, {each.id for each in found.values() if each.is_on_path})

    def segmented() -> dict[UUID, Sequence[Segment]]:
        return {
            each.id: segments_of(each, attempts[each.id], waits[each.id], held[each.id], session.now)
            for each in found.values()
        }

    segments = await session.offload.run_many(len(found), segmented)
    ids = {segment.holder_id for each in segments.values() for segment in each if segment.holder_id}
    return _Read(found, segments, await references(session, ids))


async def _held(
    session: Session, waits: Mapping[UUID, Sequence[WaitSpan]], path: Collection[UUID]
) -> Mapping[UUID, Mapping[datetime, Sequence[Held]]]:
    """Who held the lane during each wait for a busy configuration, by job and begin of the wait.

    Waits of the longest path, which the verdict is about, are no worse known for the many others.
    """
    busy = [
        (job_id, span)
        for job_id, spans in waits.items()
        for span in spans
        if span.cause is WaitCause.CONFIGURATION_BUSY
    ]
    found: defaultdict[UUID, defaultdict[datetime, list[Held]]] = defaultdict(lambda: defaultdict(list))
    for is_on_path in (True, False):
        wanted = [each for each in busy if (each[0] in path) is is_on_path]
        for row in await _holders(session, wanted):
            job_id, span = wanted[row.place - 1]
            found[job_id][span.begin].append(row)
    return found


async def _holders(session: Session, busy: Sequence[tuple[UUID, WaitSpan]]) -> Sequence[Held]:
    if not busy:
        return ()
    return await QueueStore(session.connection).holders(
        project=session.project,
        ids=[job_id for job_id, _ in busy],
        begins=[span.begin for _, span in busy],
        ends=[span.end for _, span in busy],
        near=near(len(busy)),
    )


def _tasks(now: datetime, job: Job, read: _Read, phases: Sequence[RunPhase]) -> list[TaskTimeline]:
    of_task: defaultdict[str, list[TimelineJob]] = defaultdict(list)
    for each in read.jobs.values():
        if each.parent_id == job.id and each.task_id is not None:
            of_task[each.task_id].append(each)
    return [
        _task(job, phase.index, task, of_task[task.id], read, now) for phase in phases for task in phase.tasks
    ]


def _task(
    run: Job, phase: int, task: RunTask, own: Sequence[TimelineJob], read: _Read, now: datetime
) -> TaskTimeline:
    """`own` are the task's jobs, oldest first: a nested run has one for each attempt."""
    until = now if task.status == "pending" and run.finished_at is None else None
    segments = task_segments(run.started_at, [read.segments[each.id] for each in own], until)
    return TaskTimeline(
        id=task.id,
        name=task.name,
        phase=phase,
        status=task.job.status if task.job is not None and task.status == "started" else task.status,
        job_id=None if task.job is None else task.job.id,
        is_on_longest_path=any(each.is_on_path for each in own),
        segments=segments,
        seconds=seconds_by_cause(segments),
    )
