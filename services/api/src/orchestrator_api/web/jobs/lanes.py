"""Lanes as bars in per cent of the time that is shown, and the same in words; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.queue.lanes import InLine, Lane
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.terminations import TerminationPreview
from orchestrator_api.queue.words import Times, capitalized, counted, ordinal
from orchestrator_api.web.runs.timeline import ticks
from orchestrator_api.web.runs.words import Piece, linked

LEAST, MOST = timedelta(minutes=10), timedelta(hours=2)
"""How much of the time before and after now is shown."""
UNKNOWN_WIDTH = 7.0
"""Per cent: of a job whose length or start nobody can tell."""
NARROWEST = 0.6
PIXELS, LETTER, MARGIN = 9.0, 6.2, 12.0
"""Of a per cent of the lanes on a usual screen, of a letter, and around a label: roughly."""
SAID = 5
"""How many of those in line the sentence names."""


@dataclass(frozen=True, slots=True)
class LaneBar:
    """One job, or what is expected of it."""

    tone: str
    x: float
    width: float
    label: str

    @property
    def text(self) -> str:
        """As much of the label as there is room for, if that says anything."""
        room = int((self.width * PIXELS - MARGIN) / LETTER)
        if len(self.label) <= room:
            return self.label
        return f"{self.label[: room - 1].rstrip()}…" if room > 3 else ""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane."""

    lane: Lane
    """As it is shown: perhaps as it would be."""
    job: UUID | None
    """Who holds it now."""
    bars: Sequence[LaneBar]
    usual_x: float | None
    """Where the usual length has passed."""
    said: Sequence[Piece]
    note: str
    """Below its name."""


@dataclass(frozen=True, slots=True)
class DrawnLanes:
    """All lanes with one axis; ticks are places in per cent with the time there."""

    ticks: Sequence[tuple[float, str]]
    now_x: float
    rows: Sequence[LaneRow]


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: datetime
    end: datetime

    def per_cent(self, at: datetime) -> float:
        share = (at - self.begin) / (self.end - self.begin)
        return round(100 * min(1.0, max(0.0, share)), 2)


def drawn(
    lanes: Sequence[Lane], now: datetime, zone: ZoneInfo, preview: TerminationPreview | None = None
) -> DrawnLanes:
    """The lanes around now; with a preview, as they would be after that termination."""
    scale = _scale(lanes, now)
    times = Times(now, zone)
    shown = lanes if preview is None else as_if(lanes, preview)
    found = [(scale.per_cent(at), label) for at, label in ticks(scale.begin, scale.end, zone)]
    rows = [_row(lane, after, scale, times) for lane, after in zip(lanes, shown, strict=True)]
    return DrawnLanes(found, scale.per_cent(now), rows)


def _scale(lanes: Sequence[Lane], now: datetime) -> _Scale:
    held = [now - lane.holder.started_at for lane in lanes if lane.holder and lane.holder.started_at]
    ahead = [end - now for lane in lanes for end in _ends(lane)]
    before, after = max([*held, LEAST]), max([*ahead, LEAST])
    return _Scale(now - min(before, MOST), now + min(after, MOST))


def _ends(lane: Lane) -> list[datetime]:
    usual = timedelta(seconds=lane.usual_seconds or 0)
    starts = [each.expected_start + usual for each in lane.waiting if each.expected_start]
    return [*starts, *([lane.expected_end] if lane.expected_end else [])]


def _row(now: Lane, lane: Lane, scale: _Scale, times: Times) -> LaneRow:
    job = now.holder.id if now.holder else None
    started = lane.holder.started_at if lane.holder else None
    usual_x = None
    if started and lane.usual_seconds and lane.longer_than_usual:
        usual_x = scale.per_cent(started + timedelta(seconds=lane.usual_seconds))
    refs = [*([lane.holder] if lane.holder else []), *(each.job for each in lane.waiting)]
    said = linked(_sentence(lane, times), refs)
    return LaneRow(lane, job, _bars(lane, scale, times), usual_x, said, _note(lane))


def _note(lane: Lane) -> str:
    if lane.waiting_count:
        return f"{lane.waiting_count:,} waiting"
    if lane.longer_than_usual:
        return "longer than usual"
    return who(lane.holder) if lane.holder else "free"


def _bars(lane: Lane, scale: _Scale, times: Times) -> list[LaneBar]:
    now_x = scale.per_cent(times.now)
    bars = []
    at = now_x
    if lane.holder and lane.holder.started_at:
        x = min(scale.per_cent(lane.holder.started_at), now_x - NARROWEST)
        bars.append(LaneBar("processing", x, round(now_x - x, 2), who(lane.holder)))
    if lane.holder and lane.expected_end and lane.expected_end > times.now:
        at = scale.per_cent(lane.expected_end)
        bars.append(LaneBar("expected", now_x, round(at - now_x, 2), ""))
    for each in lane.waiting:
        begin = max(at, scale.per_cent(each.expected_start)) if each.expected_start else at
        end = begin + UNKNOWN_WIDTH
        if each.expected_start and lane.usual_seconds:
            end = scale.per_cent(each.expected_start + timedelta(seconds=lane.usual_seconds))
        if begin > 100 - NARROWEST:
            break
        at = min(100.0, max(end, begin + NARROWEST))
        bars.append(LaneBar("queue", begin, round(at - begin, 2), who(each.job)))
    return bars


def who(job: JobRef) -> str:
    """Its run, or who started it."""
    if job.orchestration is not None:
        return job.name
    return job.requested_by or f"#{job.number}"


def _sentence(lane: Lane, times: Times) -> str:
    """Who holds it, and those in line with their expected starts."""
    said = [_in_line(each, lane.waiting_count, times) for each in lane.waiting[:SAID]]
    more = lane.waiting_count - len(said)
    if said and more > 0:
        said.append(f"then {counted(more, 'more job')}")
    line = f" {capitalized('; '.join(said))}." if said else ""
    return f"{lane.sentence}{line}"


def _in_line(each: InLine, length: int, times: Times) -> str:
    start = "expected start unknown" if each.expected_start is None else times.about(each.expected_start)
    return f"{ordinal(each.place) if length > 1 else 'next'} {who(each.job)}, {start}"


def as_if(lanes: Sequence[Lane], preview: TerminationPreview) -> list[Lane]:
    """The lanes as they would be after this termination, as far as the preview tells."""
    gone = {preview.job_id, *(each.id for each in preview.stopped)}
    starts = {each.job.id: each.expected_start_after for each in preview.behind}
    return [_without(lane, gone, starts, preview.name) for lane in lanes]


def _without(lane: Lane, gone: set[UUID], starts: dict[UUID, datetime | None], name: str) -> Lane:
    left = [each for each in lane.waiting if each.job.id not in gone]
    is_free = lane.holder is not None and lane.holder.id in gone
    if not is_free and len(left) == len(lane.waiting):
        return lane
    moved = [
        InLine(each.job, place, starts.get(each.job.id, each.expected_start))
        for place, each in enumerate(left, 1)
    ]
    count = lane.waiting_count - (len(lane.waiting) - len(left))
    waits = "no job waits for it" if not count else f"{count} {'waits' if count == 1 else 'wait'} for it"
    sentence = f"Without {name}: {waits}."
    if is_free:
        lane = replace(lane, holder=None, expected_end=None, longer_than_usual=False)
    return replace(lane, waiting=moved, waiting_count=count, sentence=sentence)
