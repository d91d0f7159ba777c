"""Shows what a termination would stop, and how the expected starts of those behind it would move."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.http.session import Session
from orchestrator_api.queue.explanations import UTC_ZONE, line_of, references
from orchestrator_api.queue.lanes import waiting_in_lines
from orchestrator_api.queue.rows import BusyLane, JobRef, LineMember, StoppedJob
from orchestrator_api.queue.store import QueueStore
from orchestrator_api.queue.termination_text import Behind, Stopping, consequences, question
from orchestrator_api.queue.usual import Line, expected_start
from orchestrator_api.queue.words import Times
from orchestrator_api.runs import jobs
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.rows import Job

LANES = 100
"""How many lanes of what would stop are looked at."""
IN_LINE = 50
SHOWN = 50
"""How many of what would stop, and of those behind it, are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class TerminationPreview:
    """What a termination would do; nothing has happened yet."""

    job_id: UUID
    name: str
    status: str
    sentence: str
    consequences: Sequence[str]
    stopped: Sequence[JobRef]
    stopped_count: int
    behind: Sequence[Behind]
    behind_count: int


async def preview(session: Session, job_id: UUID, zone: ZoneInfo = UTC_ZONE) -> TerminationPreview:
    """What ending this job would stop, and who would start earlier."""
    job = await runs.find_terminable(session, job_id)
    stopped = await QueueStore(session.connection).stopped_with(project=session.project, job_id=job_id)
    below = [each for each in stopped if each.id != job_id]
    listed = below[:SHOWN]
    refs = await references(session, [job_id, *(each.id for each in listed)])
    behind = await _behind(session, stopped)
    stopping = await _stopping(session, job, below, refs, behind)
    times = Times(session.now, zone)
    return TerminationPreview(
        job_id=job_id,
        name=stopping.name,
        status=job.status,
        sentence=question(stopping, times),
        consequences=consequences(stopping, times),
        stopped=[refs[each.id] for each in listed if each.id in refs],
        stopped_count=len(below),
        behind=stopping.behind,
        behind_count=len(behind),
    )


async def _stopping(
    session: Session,
    job: Job,
    below: Sequence[StoppedJob],
    refs: dict[UUID, JobRef],
    behind: Sequence[Behind],
) -> Stopping:
    own, key = refs.get(job.id), (job.component, job.configuration)
    usual = (await jobs.usual_durations(session, [key])).get(key)
    is_part = own is not None and job.parent_id is not None
    target = f"{job.component}/{job.configuration}"
    name = own.name if own is not None else (job.configuration if job.is_run else target)
    running = [each for each in below if each.kind == "component" and each.exact_status == "processing"]
    return Stopping(
        name=f"{job.configuration if job.is_run else target} of {name}" if is_part else name,
        status=job.status,
        attempt=job.attempt,
        started_at=job.started_at,
        usual_seconds=usual,
        is_run=job.is_run,
        counted_in=name if is_part else None,
        running=[refs[each.id].target if each.id in refs else "another" for each in running],
        waiting=sum(each.exact_status in ("waiting", "ready") for each in below),
        nested=sum(each.kind == "run" and each.exact_status == "processing" for each in below),
        behind=behind[:SHOWN],
        behind_count=len(behind),
    )


async def _behind(session: Session, stopped: Sequence[StoppedJob]) -> list[Behind]:
    """Those in the lanes of what would stop that would start earlier, the next ones first."""
    ids = list(dict.fromkeys(each.lane_id for each in stopped))[:LANES]
    lanes = await QueueStore(session.connection).lanes(project=session.project, lanes=ids)
    members = await waiting_in_lines(session, [lane.id for lane in lanes if lane.waiting], IN_LINE)
    wanted = {member.job_id for line in members.values() for member in line}
    wanted |= {lane.holder_id for lane in lanes if lane.holder_id is not None}
    refs = await references(session, wanted)
    usual = await jobs.usual_durations(
        session, [(lane.component, lane.configuration) for lane in lanes if lane.waiting]
    )
    gone = {each.id for each in stopped}
    found: list[tuple[int, Behind]] = []
    for lane in sorted(lanes, key=lambda lane: ids.index(lane.id)):
        holder = refs.get(lane.holder_id) if lane.holder_id else None
        line = line_of(holder, usual.get((lane.component, lane.configuration)))
        found += _moved(session, lane, line, members.get(lane.id, ()), refs, gone)
    return [behind for _, behind in sorted(found, key=lambda each: each[0])]


def _moved(
    session: Session,
    lane: BusyLane,
    line: Line,
    members: Sequence[LineMember],
    refs: dict[UUID, JobRef],
    gone: Collection[UUID],
) -> list[tuple[int, Behind]]:
    """Place after the termination, and the job, of each one in this lane that moves up."""
    after = Line(line.usual_seconds, False, None) if lane.holder_id in gone else line
    found, ended = [], int(lane.holder_id in gone)
    for member in members:
        if member.job_id in gone:
            ended += 1
        elif ended and member.job_id in refs:
            place = member.place - ended + int(lane.holder_id in gone)
            moved = Behind(
                refs[member.job_id],
                expected_start(line, member.place, session.now),
                expected_start(after, place, session.now),
            )
            found.append((place, moved))
    return found
