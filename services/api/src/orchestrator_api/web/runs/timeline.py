"""The timeline of a run: bars in per cent of its width, and the same in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timeline import Segment, SegmentCause
from orchestrator_api.queue.timelines import TaskTimeline, Timeline
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web import words
from orchestrator_api.web.runs.words import status_of
from orchestrator_api.web.statuses import STATUSES

MOST_TICKS = 8
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
NARROWEST = 0.3
"""Per cent: what is shorter can still be seen and hovered over."""
TONES = {
    SegmentCause.CONFIGURATION_BUSY: "waiting",
    SegmentCause.UNDIVIDED: "waiting",
    SegmentCause.SLOT_OR_LIMIT: "slot",
    SegmentCause.DELAY: "delay",
    SegmentCause.ACCEPTANCE: "created",
}
REASONS = {
    SegmentCause.CONFIGURATION_BUSY: "for its configuration",
    SegmentCause.UNDIVIDED: "for its configuration or a slot",
    SegmentCause.SLOT_OR_LIMIT: "for a free slot",
    SegmentCause.DELAY: "between attempts",
    SegmentCause.ACCEPTANCE: "to be accepted by a runner",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One segment; waits are thinner."""

    tone: str
    x: float
    width: float
    is_wait: bool
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One task."""

    task: RunTask
    status: str
    bars: Sequence[Bar]
    sentence: str
    ran_seconds: float | None


@dataclass(frozen=True, slots=True)
class PhaseRows:
    """One phase."""

    name: str
    seconds: float | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The whole timeline; ticks are places in per cent with the time there."""

    ticks: Sequence[tuple[float, str]]
    own: Sequence[Bar]
    own_sentence: str
    phases: Sequence[PhaseRows]


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: datetime
    seconds: float
    holders: Mapping[UUID, JobRef]

    def per_cent(self, at: datetime) -> float:
        return round(100 * (at - self.begin).total_seconds() / self.seconds, 2)

    def is_shown(self, segment: Segment) -> bool:
        """Not what waits for earlier phases; short waits are no part of the verdict either."""
        if segment.cause is SegmentCause.RUNNING:
            return True
        least = min(1.0, 0.01 * self.seconds)
        return segment.cause is not SegmentCause.EARLIER_PHASE and segment.seconds >= least


def drawn(timeline: Timeline, phases: Sequence[RunPhase], now: datetime, zone: ZoneInfo) -> Drawn:
    """The timeline from the request to the end, or to now."""
    end = timeline.end or now
    seconds = max((end - timeline.begin).total_seconds(), 0.001)
    scale = _Scale(timeline.begin, seconds, {each.id: each for each in timeline.holders})
    of_task = {(each.phase, each.id): each for each in timeline.tasks}
    own = [each for each in timeline.segments if each.cause is not SegmentCause.RUNNING]
    bars, sentence = _bars(own, timeline.status, scale)
    return Drawn(
        ticks=[(scale.per_cent(at), label) for at, label in ticks(timeline.begin, end, zone)],
        own=bars,
        own_sentence=sentence,
        phases=[_phase(phase, of_task, scale, now) for phase in phases],
    )


def _phase(
    phase: RunPhase, of_task: Mapping[tuple[int, str], TaskTimeline], scale: _Scale, now: datetime
) -> PhaseRows:
    took = None
    if phase.started_at is not None:
        took = ((phase.finished_at or now) - phase.started_at).total_seconds()
    rows = [_row(task, of_task.get((phase.index, task.id)), scale) for task in phase.tasks]
    return PhaseRows(phase.name, took, rows)


def _row(task: RunTask, found: TaskTimeline | None, scale: _Scale) -> Row:
    status, segments = status_of(task), found.segments if found else ()
    bars, said = _bars(segments, status, scale)
    ran = [each.seconds for each in segments if each.cause is SegmentCause.RUNNING]
    label = STATUSES[status].label
    sentence = f"{said}, {label.lower()}" if said else label
    return Row(task, status, bars, sentence, sum(ran) if ran else None)


def _bars(segments: Sequence[Segment], status: str, scale: _Scale) -> tuple[list[Bar], str]:
    """The bars and the sentence with the same parts."""
    shown = [each for each in segments if scale.is_shown(each)]
    last = next((each for each in reversed(shown) if each.cause is SegmentCause.RUNNING), None)
    bars = [_bar(each, status if each is last else None, scale) for each in shown]
    said = ", ".join(bar.label for bar in bars)
    return bars, f"{said[:1].upper()}{said[1:]}"


def _bar(segment: Segment, status: str | None, scale: _Scale) -> Bar:
    """`status` only of the last attempt: that of the task."""
    x = min(scale.per_cent(segment.begin), 100 - NARROWEST)
    width = round(max(scale.per_cent(segment.end) - x, NARROWEST), 2)
    took = words.duration(segment.seconds)
    if segment.cause is SegmentCause.RUNNING:
        return Bar(_tone(status), x, width, False, _attempt(segment, status, took))
    holder = scale.holders.get(segment.holder_id) if segment.holder_id else None
    reason = f"for {holder.name}" if holder else REASONS[segment.cause]
    return Bar(TONES[segment.cause], x, width, True, f"waited {took} {reason}")


def _tone(status: str | None) -> str:
    if status is None:
        return "error"
    tone = STATUSES[status].tone
    return "cancelled" if tone in ("not_executed", "skipped") else tone


def _attempt(segment: Segment, status: str | None, took: str) -> str:
    if status is not None:
        return f"ran {took}"
    how = "was lost" if segment.outcome == "lost" else "failed"
    return f"attempt {segment.attempt} {how} after {took}" if segment.attempt else f"{how} after {took}"


def ticks(begin: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Round times of the viewer's clock between these, eight at most."""
    seconds = max((end - begin).total_seconds(), 0.0)
    step = next((each for each in STEPS if seconds <= each * MOST_TICKS), None)
    step = step or ceil(seconds / MOST_TICKS / 86400) * 86400
    offset = (begin.astimezone(zone).utcoffset() or timedelta()).total_seconds()
    first = ceil((begin.timestamp() + offset) / step) * step - offset
    places = [first + step * count for count in range(MOST_TICKS + 1)]
    found = [datetime.fromtimestamp(place, UTC) for place in places if place < end.timestamp()]
    return [(at, _label(at.astimezone(zone), step)) for at in found]


def _label(local: datetime, step: int) -> str:
    if step >= words.HOUR and f"{local:%H:%M}" == "00:00":
        return f"{local.day} {local:%b}"
    return f"{local:%H:%M:%S}" if step < words.MINUTE else f"{local:%H:%M}"
