"""The chart of how long the last runs took: bars in per cent of its width, so that it stretches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.runs.rows import Job
from orchestrator_api.web import words
from orchestrator_api.web.statuses import AT_WORK, STATUSES

MOST_BARS = 30
TOP, GROUND = 14, 94
FIRST, STEP, WIDTH = 6.0, 3.1, 2.0
LOWEST = 2
NICE = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
MARKS = {"error": "✖", "warning": "!", "terminated": "■", "cancelled": "⊘"}


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One run."""

    tone: str
    x: float
    y: int
    height: int
    label: str
    mark: str
    is_open: bool

    @property
    def middle(self) -> float:
        return round(self.x + WIDTH / 2, 1)


@dataclass(frozen=True, slots=True)
class DurationChart:
    """Bars from the oldest to the newest, two lines with their durations, and the usual one."""

    bars: Sequence[ChartBar]
    lines: Sequence[tuple[int, str]]
    usual_y: int | None
    sentence: str


def durations_chart(runs: Sequence[Job], usual: float | None, now: datetime) -> DurationChart:
    """The chart of these runs, which are given newest first."""
    shown = [run for run in reversed(runs[:MOST_BARS]) if run.started_at is not None]
    lengths = [_seconds(run, now) for run in shown]
    full = _full(max([*lengths, usual or 0.0]))
    first = MOST_BARS - len(shown)
    bars = [
        _bar(run, length, full, round(FIRST + STEP * (first + place), 1))
        for place, (run, length) in enumerate(zip(shown, lengths, strict=True))
    ]
    lines = [(TOP, words.duration(full)), ((TOP + GROUND) // 2, words.duration(full / 2))]
    usual_y = None if usual is None else GROUND - round((GROUND - TOP) * usual / full)
    return DurationChart(bars, lines, usual_y, _sentence(shown, lengths, usual))


def _seconds(run: Job, now: datetime) -> float:
    assert run.started_at is not None
    return max(0.0, ((run.finished_at or now) - run.started_at).total_seconds())


def _full(longest: float) -> float:
    """What the upper line stands for: a round duration that no bar exceeds."""
    for nice in NICE:
        if longest <= nice:
            return float(nice)
    days = -(-longest // 86400)
    return days * 86400


def _bar(run: Job, length: float, full: float, x: float) -> ChartBar:
    height = max(LOWEST, round((GROUND - TOP) * length / full))
    look = STATUSES[run.status]
    label = f"#{run.number}: {look.label.lower()}, {words.duration(length)}"
    is_open = run.status in AT_WORK
    return ChartBar(look.tone, x, GROUND - height, height, label, MARKS.get(run.status, ""), is_open)


def _sentence(runs: Sequence[Job], lengths: Sequence[float], usual: float | None) -> str:
    if not runs:
        return "No run has started yet"
    newest = STATUSES[runs[-1].status].label.lower()
    said = f"Duration of the last {words.counted(len(runs), 'run')}"
    usually = "" if usual is None else f" usually {words.duration(usual)};"
    return f"{said}:{usually} run {runs[-1].number}, {newest}, took {words.duration(lengths[-1])}"
