"""The strip of the last runs: a bar each, as high as the run was long, and a sentence that says the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from orchestrator_api.runs.rows import LastRun
from orchestrator_api.web.statuses import AT_WORK, STATUSES

MOST_BARS = 20
STEP, WIDTH, FLOOR, TALLEST, LOWEST = 8, 6, 20, 18, 5
LABELS = {"error": "error", "terminated": "stop", "cancelled": "stop", "warning": "warning"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One run."""

    tone: str
    x: int
    y: int
    height: int
    mark: str
    """`error`, `warning`, `stop` or nothing: readable without colours."""
    is_open: bool
    """Still at work: the rest of the bar is faint."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Bars from the oldest on the left to the newest."""

    bars: Sequence[Bar]
    sentence: str


def strip_of(runs: Sequence[LastRun], now: datetime) -> Strip:
    """The strip of these runs, which are given newest first."""
    shown = list(reversed(runs[:MOST_BARS]))
    lengths = [_seconds(run, now) for run in shown]
    longest = max(lengths, default=0.0)
    first = MOST_BARS - len(shown)
    bars = [
        _bar(run, first + place, length / longest if longest else 0.0)
        for place, (run, length) in enumerate(zip(shown, lengths, strict=True))
    ]
    return Strip(bars, _sentence(shown))


def _seconds(run: LastRun, now: datetime) -> float:
    if run.started_at is None:
        return 0.0
    return max(0.0, ((run.finished_at or now) - run.started_at).total_seconds())


def _bar(run: LastRun, place: int, share: float) -> Bar:
    """Roots of the lengths, so that a short run beside a long one is still seen."""
    height = max(LOWEST, round(TALLEST * sqrt(share)))
    tone = STATUSES[run.status].tone
    is_open = run.status in AT_WORK
    return Bar(tone, place * STEP, FLOOR - height, height, LABELS.get(run.status, ""), is_open)


def _sentence(runs: Sequence[LastRun]) -> str:
    if not runs:
        return "No run yet"
    counts = Counter(STATUSES[run.status].label.lower() for run in runs)
    said = ", ".join(f"{count} {label}" for label, count in counts.most_common())
    return f"Last {len(runs)} runs: {said}" if len(runs) > 1 else f"Last run: {said}"
