"""Reads the facts that explain why a job waits now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.http.session import Session
from orchestrator_api.queue.explanation_text import (
    Cause,
    WaitFacts,
    other_sentence,
    waiting_sentence,
    working_sentence,
)
from orchestrator_api.queue.rows import JobRef, Slots, Standing
from orchestrator_api.queue.store import QueueStore
from orchestrator_api.queue.usual import Line, expected_end, expected_start, is_longer_than_usual
from orchestrator_api.queue.words import Times
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import Job, WaitingJob
from orchestrator_api.runs.waiting import explain_waiting
from orchestrator_shared.domain.zone_data import load_zone

UTC_ZONE = load_zone("UTC")
WAITS = ("created", "waiting")


@dataclass(frozen=True, slots=True)
class JobExplanation:
    """Why a job waits, as data and as a sentence; of one that does not wait, what it does instead."""

    job_id: UUID
    status: str
    sentence: str
    cause: Cause | None = None
    since: datetime | None = None
    place: int | None = None
    length: int | None = None
    holder: JobRef | None = None
    holder_longer_than_usual: bool = False
    expected_start: datetime | None = None
    expected_end: datetime | None = None
    usual_seconds: float | None = None
    slots: Slots | None = None
    parallel_limit: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says about jobs that are explained together."""

    standings: Mapping[UUID, Standing]
    waiting: Mapping[UUID, WaitingJob]
    holders: Mapping[UUID, JobRef]
    usual: Mapping[tuple[str, str], float]
    slots: Slots
    now: datetime


async def explain(session: Session, job_id: UUID, zone: ZoneInfo = UTC_ZONE) -> JobExplanation:
    """Why a job waits now, whom for, since when, and until about when."""
    job = await jobs.find(session, job_id)
    return (await explain_all(session, [job], zone))[job_id]


async def explain_all(
    session: Session, found: Sequence[Job], zone: ZoneInfo = UTC_ZONE
) -> dict[UUID, JobExplanation]:
    """The same for each of these jobs, with as many queries as for one."""
    known, times = await _known(session, found), Times(session.now, zone)
    return {job.id: _explained(job, known, times) for job in found}


async def _known(session: Session, found: Sequence[Job]) -> _Known:
    store = QueueStore(session.connection)
    ids = [job.id for job in found if job.status in WAITS and job.overlap is None]
    standings = await store.standings(project=session.project, ids=ids) if ids else []
    waiting = await jobs.waiting_facts(session, ids)
    return _Known(
        {each.id: each for each in standings},
        waiting,
        await references(session, [each.holder_id for each in waiting.values() if each.holder_id]),
        await jobs.usual_durations(session, list({(job.component, job.configuration) for job in found})),
        await store.slots() if ids else Slots(0, 0, 0),
        session.now,
    )


def _explained(job: Job, known: _Known, times: Times) -> JobExplanation:
    if job.overlap is not None:
        return JobExplanation(job.id, job.status, f"It {job.overlap.detail}.")
    usual = known.usual.get((job.component, job.configuration))
    if job.status not in WAITS:
        return _not_waiting(job, usual, times)
    facts = _wait_facts(job, known, usual)
    return JobExplanation(
        job_id=job.id,
        status=job.status,
        sentence=waiting_sentence(facts, times),
        cause=facts.cause,
        since=facts.since,
        place=facts.place,
        length=facts.length,
        holder=facts.holder,
        holder_longer_than_usual=facts.holder_is_longer,
        expected_start=facts.expected_start,
        usual_seconds=usual,
        slots=facts.slots,
        parallel_limit=facts.parallel_limit,
    )


def _not_waiting(job: Job, usual: float | None, times: Times) -> JobExplanation:
    if job.status != "processing" or job.started_at is None:
        said = other_sentence(job.status, job.started_at, job.finished_at, times)
        return JobExplanation(job.id, job.status, said, usual_seconds=usual)
    end = expected_end(Line(usual, True, job.started_at), times.now)
    said = working_sentence(job.started_at, usual, end, times)
    return JobExplanation(
        job.id, job.status, said, since=job.started_at, expected_end=end, usual_seconds=usual
    )


def _wait_facts(job: Job, known: _Known, usual: float | None) -> WaitFacts:
    standing, found = known.standings.get(job.id), known.waiting.get(job.id)
    if standing is None or found is None:
        cause = Cause.NOT_ACCEPTED if known.slots.runners else Cause.NO_RUNNER
        return WaitFacts(cause, job.requested_at, slots=known.slots)
    cause = Cause(explain_waiting(found).reason)
    if cause is Cause.NEXT_ATTEMPT_DELAYED:
        since = standing.attempt_ended_at
        return WaitFacts(cause, since, found.due_at, attempt=job.attempt, max_attempts=job.max_attempts)
    if cause is Cause.CONFIGURATION_BUSY and found.holder_id is not None:
        return _busy(job, known, standing, known.holders.get(found.holder_id), usual)
    return _slot_facts(job, known, standing, found, cause)


def _busy(
    job: Job, known: _Known, standing: Standing, holder: JobRef | None, usual: float | None
) -> WaitFacts:
    line = line_of(holder, usual)
    return WaitFacts(
        Cause.CONFIGURATION_BUSY,
        _in_line_since(job),
        expected_start(line, standing.place, known.now),
        standing.place,
        standing.length,
        holder,
        is_longer_than_usual(line, known.now),
        usual,
    )


def _in_line_since(job: Job) -> datetime | None:
    """From its acceptance on; a later attempt from when it was due."""
    return max(filter(None, (job.accepted_at, job.due_at)), default=None)


def _slot_facts(job: Job, known: _Known, standing: Standing, found: WaitingJob, cause: Cause) -> WaitFacts:
    if cause is Cause.NO_FREE_SLOT and (job.kind == "run" or known.slots.in_use < known.slots.total):
        cause = Cause.ABOUT_TO_START  # a run needs no slot
    since = job.ready_at or _in_line_since(job)
    if job.kind == "run" or standing.exact_status != "ready":
        return WaitFacts(cause, since, slots=known.slots)
    return WaitFacts(
        cause,
        since,
        place=standing.slot_place,
        length=standing.slot_length,
        slots=known.slots,
        parallel_limit=found.parallel_limit,
    )


def line_of(holder: JobRef | None, usual: float | None) -> Line:
    """What its holder says about a lane."""
    if holder is None:
        return Line(usual, False, None)
    return Line(usual, True, holder.started_at, holder.status == "terminating")


async def references(session: Session, ids: Collection[UUID]) -> dict[UUID, JobRef]:
    """These jobs of the project by id, as far as they still exist."""
    if not ids:
        return {}
    found = await QueueStore(session.connection).references(project=session.project, ids=ids)
    return {each.id: each for each in found}
