"""The timeline of a run: bars in per cent of its width, and the same in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor, log2
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timeline import Segment, SegmentCause
from orchestrator_api.queue.timelines import TaskTimeline, Timeline
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web import words
from orchestrator_api.web.runs.words import status_of
from orchestrator_api.web.statuses import STATUSES

_RUNNING = SegmentCause.RUNNING
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

    @property
    def svg(self) -> str:
        """As a shape whose x and width stretch with the drawing."""
        y, height = (13, 8) if self.is_wait else (9, 16)
        return (
            f'<rect class="o-f-{self.tone}" x="{self.x}%" y="{y}" width="{self.width}%" height="{height}" '
            f'rx="2"><title>{escape(self.label)}</title></rect>'
        )


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars in a row, and the same in words."""

    bars: Sequence[Bar]
    sentence: str

    @property
    def svg(self) -> Markup:
        return Markup("".join(bar.svg for bar in self.bars))  # noqa: S704  labels are escaped


@dataclass(frozen=True, slots=True)
class Row(Bars):
    """One task."""

    task: RunTask
    status: str
    ran_seconds: float | None
    waited_seconds: float

    @property
    def element_id(self) -> str:
        return f"task-{self.task.job.id if self.task.job else self.task.id.replace(' ', '_')}"

    @property
    def query(self) -> str:
        """Chooses the task in the page's address."""
        return urlencode({"task": self.task.id})


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
    own: Bars
    phases: Sequence[PhaseRows]

    @property
    def statuses(self) -> set[str]:
        return {row.status for phase in self.phases for row in phase.rows}


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: datetime
    seconds: float
    holders: Mapping[UUID, JobRef]
    ends: Mapping[str, datetime]
    """When tasks at work are expected to end."""
    skipped: str

    def per_cent(self, at: datetime) -> float:
        return round(100 * (at - self.begin).total_seconds() / self.seconds, 2)

    def is_shown(self, segment: Segment) -> bool:
        """Not what waits for earlier phases; short waits are no part of the verdict either."""
        if segment.cause is SegmentCause.RUNNING:
            return True
        least = min(1.0, 0.01 * self.seconds)
        return segment.cause is not SegmentCause.EARLIER_PHASE and segment.seconds >= least


def drawn(
    timeline: Timeline,
    phases: Sequence[RunPhase],
    now: datetime,
    zone: ZoneInfo,
    *,
    expected_end: datetime | None = None,
    skipped: str = "skipped",
) -> Drawn:
    """The timeline from the request to the end, or to now, or to when the end of what runs is expected.

    `skipped` is how tasks that were skipped are shown.
    """
    ends = _expected_ends(phases, now) if timeline.end is None else {}
    end = timeline.end or max(now, expected_end or now, *ends.values())
    seconds = max((end - timeline.begin).total_seconds(), 0.001)
    if timeline.end is None:
        seconds = rounded_up(seconds)
        end = timeline.begin + timedelta(seconds=seconds)
    scale = _Scale(timeline.begin, seconds, {each.id: each for each in timeline.holders}, ends, skipped)
    of_task = {(each.phase, each.id): each for each in timeline.tasks}
    own = [each for each in timeline.segments if each.cause is not _RUNNING and scale.is_shown(each)]
    return Drawn(
        ticks=[(scale.per_cent(at), label) for at, label in ticks(timeline.begin, end, zone)],
        own=_bars(own, timeline.status, scale),
        phases=[_phase(phase, of_task, scale, now) for phase in phases],
    )


def rounded_up(seconds: float) -> float:
    """To a sixteenth to a thirty-second more: as a run goes on, most bars stay where they are for a while."""
    step = 2.0 ** (floor(log2(seconds)) - 4)
    return ceil(seconds / step) * step


def _expected_ends(phases: Sequence[RunPhase], now: datetime) -> dict[str, datetime]:
    """Of the tasks at work that have not yet taken as long as usual."""
    ends = {
        task.id: task.job.started_at + timedelta(seconds=task.usual_duration_seconds)
        for phase in phases
        for task in phase.tasks
        if task.usual_duration_seconds and task.job and task.job.started_at and not task.job.finished_at
    }
    return {task: end for task, end in ends.items() if end > now}


def _phase(
    phase: RunPhase, of_task: Mapping[tuple[int, str], TaskTimeline], scale: _Scale, now: datetime
) -> PhaseRows:
    took = None
    if phase.started_at is not None:
        took = ((phase.finished_at or now) - phase.started_at).total_seconds()
    rows = [_row(task, of_task.get((phase.index, task.id)), scale, now) for task in phase.tasks]
    return PhaseRows(phase.name, took, rows)


def _row(task: RunTask, found: TaskTimeline | None, scale: _Scale, now: datetime) -> Row:
    status, segments = status_of(task), found.segments if found else ()
    status = scale.skipped if status == "skipped" else status
    shown = [each for each in segments if scale.is_shown(each)]
    drawn_bars = _bars(shown, status, scale)
    bars, said = list(drawn_bars.bars), drawn_bars.sentence
    ran = [each.seconds for each in shown if each.cause is _RUNNING]
    waited = [each.seconds for each in shown if each.cause is not _RUNNING]
    label = STATUSES[status].label
    if (end := scale.ends.get(task.id)) is not None:
        left = words.duration(round((end - now).total_seconds()))
        bars.append(_span("expected", scale.per_cent(now), scale.per_cent(end), f"usually {left} more"))
    sentence = f"{said}, {label.lower()}" if said else label
    return Row(bars, sentence, task, status, sum(ran) if ran else None, sum(waited))


def _span(tone: str, x: float, end: float, label: str) -> Bar:
    return Bar(tone, x, round(max(end - x, NARROWEST), 2), False, label)


def _bars(shown: Sequence[Segment], status: str, scale: _Scale) -> Bars:
    """The bars and the sentence with the same parts."""
    last = next((each for each in reversed(shown) if each.cause is SegmentCause.RUNNING), None)
    bars = [_bar(each, status if each is last else None, scale) for each in shown]
    said = ", ".join(bar.label for bar in bars)
    return Bars(bars, f"{said[:1].upper()}{said[1:]}")


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
