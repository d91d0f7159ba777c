"""What the queue shows: the lanes, and what waits and works, with its reason."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import previews
from orchestrator_api.queue import explanations, lanes, terminations
from orchestrator_api.queue.explanations import JobExplanation
from orchestrator_api.queue.rows import JobRef, Slots
from orchestrator_api.queue.usual import Line, is_longer_than_usual
from orchestrator_api.runs import jobs
from orchestrator_api.runs.filters import UNFINISHED, JobFilter
from orchestrator_api.runs.rows import Job
from orchestrator_api.web.jobs.filters import ALL, JobFilters
from orchestrator_api.web.jobs.lanes import DrawnLanes, drawn
from orchestrator_api.web.runs.words import Piece, linked
from orchestrator_shared.domain.errors import Conflict, NotFound

SHOWN = 200
LANES = 50
WAITS = ("created", "waiting")


@dataclass(frozen=True, slots=True)
class Listed:
    """A job in a list, what it is part of, and of one that is underway, its reason."""

    job: Job
    ref: JobRef | None
    """None until a runner has accepted it."""
    said: Sequence[Piece] = ()
    is_longer: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Waiting and running jobs."""

    rows: Sequence[Listed]
    has_more: bool
    waiting: int
    running: int
    """Jobs of components: runs of orchestrations take no slot."""
    longest_wait: datetime | None
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lanes:
    """Their card, and the slots of all runners."""

    slots: Slots
    drawn: DrawnLanes
    has_more: bool
    types: Mapping[str, str]


async def busy(session: Session, filters: JobFilters, zone: ZoneInfo) -> Lanes:
    """The lanes: as they are, or as they would be."""
    page = await lanes.lanes(session, (None, None), LANES + 1, everything=filters.lanes == ALL, zone=zone)
    shown, preview = page.lanes[:LANES], None
    if filters.terminated is not None:
        with suppress(Conflict, NotFound):  # it has just ended: the lanes are as they are
            preview = await terminations.preview(session, filters.terminated, zone)
    types = await types_of(session, (), [lane.component for lane in shown])
    return Lanes(page.slots, drawn(shown, session.now, zone, preview), len(page.lanes) > LANES, types)


async def underway(session: Session, zone: ZoneInfo) -> Queue:
    """Waiting and running jobs."""
    found = await jobs.listing(session, JobFilter(statuses=sorted(UNFINISHED), limit=SHOWN + 1))
    listed = in_order(found.jobs[:SHOWN])
    waiting = [job for job in listed if job.status in WAITS]
    return Queue(
        rows=await _explained(session, listed, zone),
        has_more=len(found.jobs) > SHOWN,
        waiting=len(waiting),
        running=sum(not job.is_run for job in listed if job.status not in WAITS),
        longest_wait=min((job.requested_at for job in waiting), default=None),
        types=await types_of(session, listed),
    )


def in_order(underway: Sequence[Job]) -> list[Job]:
    """What waits, the longest first; then what works, runs of orchestrations last."""
    return sorted(underway, key=lambda job: (job.status not in WAITS, job.is_run, job.requested_at, job.id))


async def _explained(session: Session, underway: Sequence[Job], zone: ZoneInfo) -> list[Listed]:
    why = await explanations.explain_all(session, underway, zone)
    refs = await explanations.references(session, [job.id for job in underway])
    return [_listed(job, refs.get(job.id), why[job.id], session.now) for job in underway]


def _listed(job: Job, ref: JobRef | None, why: JobExplanation, now: datetime) -> Listed:
    holders = [why.holder] if why.holder else []
    line = Line(why.usual_seconds, True, why.since if why.status == "processing" else None)
    return Listed(job, ref, linked(why.sentence, holders), is_longer_than_usual(line, now))


async def described(session: Session, found: Sequence[Job]) -> list[Listed]:
    """The jobs with what they are part of."""
    refs: dict[UUID, JobRef] = await explanations.references(session, [job.id for job in found])
    return [Listed(job, refs.get(job.id)) for job in found]


async def types_of(session: Session, found: Sequence[Job], more: Sequence[str] = ()) -> Mapping[str, str]:
    """The type of each component."""
    return await previews.component_types(session, {*(job.component for job in found), *more})
