"""A run as text bars on one time axis, phase by phase, which makes overlap visible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.output import STATUS_STYLES, duration, moment, plain

BAR = "█"
BAR_STYLES = {"success": "cyan", "warning": "yellow"}


@dataclass(frozen=True)
class TaskSpan:
    """One task that ran: when it ran, and how it ended."""

    phase: str
    name: str
    status: str
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()

    def overlaps(self, other: "TaskSpan") -> bool:
        return self.began < other.ended and other.began < self.ended


def spans_of(phases: Sequence[Json]) -> list[TaskSpan]:
    """The tasks that started and ended, in phase order."""
    spans = []
    for phase in phases:
        for task in phase["tasks"]:
            job = task.get("job") or {}
            began, ended = moment(job.get("started_at")), moment(job.get("finished_at"))
            if began and ended:
                spans.append(TaskSpan(str(phase["name"]), str(task["id"]), str(job["status"]), began, ended))
    return spans


def have_overlap(spans: Sequence[TaskSpan]) -> bool:
    """Whether any two of them ran at the same time."""
    return any(a.overlaps(b) for number, a in enumerate(spans) for b in spans[number + 1 :])


def phases_are_apart(spans: Sequence[TaskSpan]) -> bool:
    """Whether no task began before every task of the earlier phases had ended."""
    names = list(dict.fromkeys(span.phase for span in spans))
    groups = [[span for span in spans if span.phase == name] for name in names]
    return all(
        max(span.ended for span in earlier) <= min(span.began for span in later)
        for number, earlier in enumerate(groups)
        for later in groups[number + 1 :]
    )


def bar_lines(spans: Sequence[TaskSpan], *, width: int = 40) -> list[Text]:
    """One line per phase, followed by one line per task."""
    if not spans:
        return []
    start = min(span.began for span in spans)
    total = max((max(span.ended for span in spans) - start).total_seconds(), 0.001)
    name_width = max(len(span.name) for span in spans)
    lines: list[Text] = []
    phase = ""
    for span in spans:
        if span.phase != phase:
            phase = span.phase
            lines.append(Text(plain(phase), style="bold"))
        left, length = _cells((span.began - start).total_seconds(), span.seconds, total, width)
        style = BAR_STYLES.get(span.status) or STATUS_STYLES.get(span.status, "")
        line = Text(f"  {plain(span.name):<{name_width}}  {' ' * left}")
        line.append(BAR * length, style=style)
        lines.append(line.append(f"{' ' * (width - left - length)}  {duration(span.seconds):>7}"))
    return lines


def _cells(offset: float, seconds: float, total: float, width: int) -> tuple[int, int]:
    """Start and length of the bar; at least one cell long, and never past the edge."""
    left = min(int(offset / total * width), width - 1)
    right = max(left + 1, min(width, round((offset + seconds) / total * width)))
    return left, right - left
