"""The lanes of a project that have a queue, or whose holder runs longer than usual."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.session import Session
from orchestrator_api.queue.explanations import UTC_ZONE, line_of, references
from orchestrator_api.queue.lane_text import lane_sentence
from orchestrator_api.queue.rows import BusyLane, JobRef, LineMember, Slots
from orchestrator_api.queue.store import QueueStore
from orchestrator_api.queue.usual import Line, expected_end, expected_start, is_longer_than_usual
from orchestrator_api.queue.words import Times
from orchestrator_api.runs import jobs

SCANNED = 500
"""How many busy lanes one page looks at, at most."""
SHOWN = 20
"""How many of those in line are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class InLine:
    """A job that waits in a lane."""

    job: JobRef
    place: int
    expected_start: datetime | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A configuration, the job that holds it, and those that wait for it, in order."""

    component: str
    configuration: str
    sentence: str
    holder: JobRef | None
    longer_than_usual: bool
    usual_seconds: float | None
    expected_end: datetime | None
    waiting: Sequence[InLine]
    waiting_count: int


@dataclass(frozen=True, slots=True)
class LanePage:
    """One page of lanes; `continues_at` is where the next one begins if this one is not full."""

    lanes: Sequence[Lane]
    continues_at: tuple[str, str] | None
    slots: Slots


@dataclass(frozen=True, slots=True)
class Ahead:
    """Those before a new job of a configuration, and when it would start; None if that cannot be told."""

    holder: JobRef | None
    waiting: int
    expected_start: datetime | None


@dataclass(frozen=True, slots=True)
class _Held:
    """A lane as it was read, and what is expected of it."""

    lane: BusyLane
    holder: JobRef | None
    line: Line


async def lanes(
    session: Session,
    after: tuple[str | None, str | None],
    limit: int,
    *,
    everything: bool = False,
    zone: ZoneInfo = UTC_ZONE,
) -> LanePage:
    """The next lanes by name; with `everything` also those that only have a holder."""
    store = QueueStore(session.connection)
    scan = limit if everything else SCANNED
    component, configuration = after
    found = await store.busy_lanes(
        project=session.project, component=component, configuration=configuration, limit=scan
    )
    held = await _held(session, found)
    chosen = [
        each
        for each in held
        if everything or each.lane.waiting or is_longer_than_usual(each.line, session.now)
    ][:limit]
    edge = (found[-1].component, found[-1].configuration) if len(found) == scan else None
    return LanePage(await _shown(session, chosen, zone), edge, await store.slots())


async def ahead(session: Session, key: Key) -> Ahead | None:
    """What a job that is requested now would wait for; None if its configuration is free."""
    store = QueueStore(session.connection)
    found = await store.lane(project=session.project, component=key.component, configuration=key.id)
    if found is None or not (found.holder_id or found.waiting):
        return None
    (held,) = await _held(session, [found])
    return Ahead(held.holder, found.waiting, expected_start(held.line, found.waiting + 1, session.now))


async def _held(session: Session, found: Sequence[BusyLane]) -> list[_Held]:
    usual = await jobs.usual_durations(session, [(each.component, each.configuration) for each in found])
    holders = await references(session, [each.holder_id for each in found if each.holder_id])
    made = []
    for each in found:
        holder = holders.get(each.holder_id) if each.holder_id else None
        made.append(_Held(each, holder, line_of(holder, usual.get((each.component, each.configuration)))))
    return made


async def _shown(session: Session, chosen: Sequence[_Held], zone: ZoneInfo) -> list[Lane]:
    ids = [each.lane.id for each in chosen if each.lane.waiting]
    members = await waiting_in_lines(session, ids, SHOWN)
    refs = await references(session, [member.job_id for line in members.values() for member in line])
    return [_lane(each, members.get(each.lane.id, ()), refs, Times(session.now, zone)) for each in chosen]


async def waiting_in_lines(
    session: Session, ids: Sequence[int], most: int
) -> Mapping[int, Sequence[LineMember]]:
    """The first jobs in line of each of these lanes, in order."""
    found: defaultdict[int, list[LineMember]] = defaultdict(list)
    if ids:
        store = QueueStore(session.connection)
        for member in await store.waiting_in_lines(project=session.project, lanes=ids, most=most):
            found[member.lane_id].append(member)
    return found


def _lane(held: _Held, members: Sequence[LineMember], refs: Mapping[UUID, JobRef], times: Times) -> Lane:
    line, now = held.line, times.now
    longer = is_longer_than_usual(line, now)
    return Lane(
        component=held.lane.component,
        configuration=held.lane.configuration,
        sentence=lane_sentence(held.holder, held.lane.waiting, line, times),
        holder=held.holder,
        longer_than_usual=longer,
        usual_seconds=line.usual_seconds,
        expected_end=expected_end(line, now) if line.is_held else None,
        waiting=[
            InLine(refs[member.job_id], member.place, expected_start(line, member.place, now))
            for member in members
            if member.job_id in refs
        ],
        waiting_count=held.lane.waiting,
    )
