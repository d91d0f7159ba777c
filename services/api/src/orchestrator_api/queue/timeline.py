"""Which periods a run's jobs spent waiting, for what and for whom, and running: from recorded times alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from orchestrator_api.queue.rows import Held, TimelineAttempt, TimelineJob
from orchestrator_api.runs.job_times import WaitCause, WaitSpan, moments_of, wait_spans

HANDOVER = timedelta(seconds=0.25)
"""A lane without a holder for no longer than this was being handed over: it belongs to its next holder."""

NEAR = 100
"""How many jobs before and after one in its lane are looked at, at most, to tell who held the lane."""
MOST_NEAR = 10_000
"""For all the waits of a run together: thousands of tasks of one configuration wait for each other."""


class SegmentCause(StrEnum):
    """What a job or a task waited for, or that it ran."""

    EARLIER_PHASE = "earlier_phase"
    ACCEPTANCE = "acceptance"
    CONFIGURATION_BUSY = "configuration_busy"
    DELAY = "delay"
    SLOT_OR_LIMIT = "slot_or_limit"
    UNDIVIDED = "undivided"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Segment:
    """A period with one cause; it ends now if it is not over."""

    begin: datetime
    end: datetime
    cause: SegmentCause
    holder_id: UUID | None = None
    """Who held the configuration; None where that is not known any more."""
    attempt: int | None = None
    outcome: str | None = None
    """How the attempt ended."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True)
class Wait:
    """Time that the longest path of a run spent waiting, for one cause and one holder."""

    cause: SegmentCause
    seconds: float
    holder_id: UUID | None = None
    target: str | None = None
    """The busy configuration: `csv-writer/out`."""


def waits_in(job: TimelineJob, attempts: Sequence[TimelineAttempt], now: datetime) -> list[WaitSpan]:
    """The periods in which a job waited."""
    return wait_spans(moments_of(job, attempts), now)


def near(waits: int) -> int:
    """How many jobs before and after one in its lane are looked at, for each of so many waits."""
    return max(1, min(NEAR, MOST_NEAR // waits))


def by_holder(span: WaitSpan, held: Iterable[Held]) -> list[Segment]:
    """The wait for a busy configuration, cut where another job took it over; `held` in order of time."""
    busy = Segment(span.begin, span.end, SegmentCause.CONFIGURATION_BUSY)
    found: list[Segment] = []
    at = span.begin
    for each in held:
        begin, end = max(each.begin, at), min(each.end or span.end, span.end)
        if begin >= end:
            continue
        if begin - at > HANDOVER:
            found.append(replace(busy, begin=at, end=begin))
        else:
            begin = at
        found.append(replace(busy, begin=begin, end=end, holder_id=each.job_id))
        at = end
    if found and span.end - at <= HANDOVER:
        return [*found[:-1], replace(found[-1], end=span.end)]
    return [*found, replace(busy, begin=at)]


def segments_of(
    job: TimelineJob,
    attempts: Sequence[TimelineAttempt],
    waits: Sequence[WaitSpan],
    held: Mapping[datetime, Sequence[Held]],
    now: datetime,
) -> list[Segment]:
    """Everything that a job waited for and its attempts, in order; `held` by the begin of each wait."""
    found = list(_ran(job, attempts, now))
    for span in waits:
        if span.cause is WaitCause.CONFIGURATION_BUSY:
            found += by_holder(span, held.get(span.begin, ()))
        else:
            found.append(Segment(span.begin, span.end, SegmentCause(span.cause.value)))
    return sorted(found, key=lambda segment: segment.begin)


def _ran(job: TimelineJob, attempts: Sequence[TimelineAttempt], now: datetime) -> Iterator[Segment]:
    end = job.finished_at or now
    if not attempts and job.started_at is not None:
        yield Segment(job.started_at, end, SegmentCause.RUNNING)
    for place, each in enumerate(attempts, start=1):
        if each.finished_at is None and place < len(attempts):
            continue  # of a lost attempt the end is not known
        over = each.finished_at or end
        yield Segment(each.started_at, over, SegmentCause.RUNNING, attempt=each.attempt, outcome=each.outcome)


def task_segments(
    run_started_at: datetime | None, jobs: Sequence[Sequence[Segment]], until: datetime | None
) -> list[Segment]:
    """Of a task, from the start of its run: first it waits for earlier phases.

    `jobs` are the segments of its jobs, `until` the end of what it waits for while it has none; None if it
    will not run.
    """
    own = [segment for segments in jobs for segment in segments]
    began = own[0].begin if own else until
    if run_started_at is None or began is None or began <= run_started_at:
        return own
    return [Segment(run_started_at, began, SegmentCause.EARLIER_PHASE), *own]


def seconds_by_cause(segments: Iterable[Segment]) -> dict[SegmentCause, float]:
    """The sums, without causes that did not occur."""
    sums: dict[SegmentCause, float] = {}
    for segment in segments:
        sums[segment.cause] = sums.get(segment.cause, 0.0) + segment.seconds
    return {cause: round(total, 3) for cause, total in sums.items()}


def waits_on(path: Iterable[tuple[TimelineJob, Sequence[Segment]]]) -> list[Wait]:
    """What the jobs of the longest path waited for, the longest first."""
    sums: dict[tuple[SegmentCause, UUID | None, str | None], float] = {}
    for job, segments in path:
        for segment in segments:
            is_busy = segment.cause is SegmentCause.CONFIGURATION_BUSY
            target = f"{job.component}/{job.configuration}" if is_busy else None
            key = (segment.cause, segment.holder_id, target)
            sums[key] = sums.get(key, 0.0) + segment.seconds
    waits = [
        Wait(cause, round(total, 3), holder, target)
        for (cause, holder, target), total in sums.items()
        if cause is not SegmentCause.RUNNING
    ]
    return sorted(waits, key=lambda wait: wait.seconds, reverse=True)
