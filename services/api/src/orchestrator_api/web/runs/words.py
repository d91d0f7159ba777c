"""What the page of a run says: how it stands in one sentence, and sentences in which runs are links."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.runs.first_error import FirstError
from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web import words
from orchestrator_api.web.statuses import FAILED

ENDED = {
    "success": "Finished",
    "warning": "Finished with a warning",
    "error": "Failed",
    "terminated": "Terminated",
    "cancelled": "Cancelled",
    "merged": "Joined another run",
    "skipped": "Skipped",
}
ERROR_KINDS = {"user": "Configuration error", "internal": "Internal error"}
ORIGINS = {
    "schedule": ("clock", "A schedule"),
    "trigger": ("bolt", "A trigger"),
    "retry": ("reload", "A retry"),
    "parent": ("sitemap", "Another run"),
    "api": ("key", "The API"),
    "backfill": ("history", "A backfill"),
}
_CONTROL = re.compile(
    r"\x1b\[[0-9;:?<=>]{0,64}[ -/]{0,4}[@-~]"  # colours and movements of the cursor
    r"|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"  # titles and links of a terminal
    r"|\x1b[ -/]{0,4}[0-~]?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    r"|[\u202a-\u202e\u2066-\u2069]"  # these would let a line show other text than it has
)


@dataclass(frozen=True, slots=True)
class Headline:
    """`Failed`, a time, and what stands behind it."""

    before: str
    at: datetime | None = None
    after: str = "."


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence, and the run that it names."""

    text: str
    run: JobRef | None = None


def status_of(task: RunTask) -> str:
    """How a task stands: its job's status while that is underway."""
    return task.job.status if task.job is not None and task.status == "started" else task.status


def skipped_as(run: Job) -> str:
    """What its skipped tasks were: left out by whoever chose the tasks, or inactive."""
    return "inactive" if run.selection is None else "deselected"


def chosen(phases: Sequence[RunPhase], wanted: str | None, failed: FirstError | None) -> RunTask | None:
    """The task that the address names; else the one that failed first, the one at work, or the last one."""
    begun = [task for phase in phases for task in phase.tasks if task.job is not None]
    named = [task for phase in phases for task in phase.tasks if task.id == wanted]
    if named:
        return named[0]
    culprits = [task for task in begun if failed and task.job and task.job.id == failed.failure.id]
    failing = [task for task in begun if status_of(task) == "error"]
    working = [task for task in begun if task.status == "started"]
    return next(iter([*culprits, *failing, *working, *begun[-1:]]), None)


def headline(run: Job, phases: Sequence[RunPhase], working: str) -> Headline:
    """One sentence below the title; `working` says it of a run that is underway."""
    if run.finished_at is None:
        if run.started_at is None:
            return Headline("Requested", run.requested_at)
        return Headline(f"{working} {_progress(phases)}".strip(), after="")
    return Headline(ENDED.get(run.status, "Ended"), run.finished_at, f"{_where(run, phases)}.{_left(phases)}")


def _progress(phases: Sequence[RunPhase]) -> str:
    tasks = [task for phase in phases for task in phase.tasks if task.status != "skipped"]
    done = sum(task.status not in ("pending", "started") for task in tasks)
    return f"{words.number(done)} of {words.counted(len(tasks), 'task')} ended." if tasks else ""


def _where(run: Job, phases: Sequence[RunPhase]) -> str:
    """` in phase 3 of 4`, or how long a run took that went well."""
    place = next(
        (at for at, phase in enumerate(phases, 1) if any(status_of(task) in FAILED for task in phase.tasks)),
        None,
    )
    if run.status in FAILED and place is not None:
        return f" in phase {place} of {len(phases)}"
    if run.started_at is not None and run.finished_at is not None:
        return f", after {words.duration((run.finished_at - run.started_at).total_seconds())}"
    return ""


def _left(phases: Sequence[RunPhase]) -> str:
    tasks = [task for phase in phases for task in phase.tasks if task.status != "skipped"]
    left = sum(task.status == "not_executed" for task in tasks)
    if not left:
        return ""
    verb = "was" if left == 1 else "were"
    return f" {words.number(left)} of {words.counted(len(tasks), 'task')} {verb} not executed."


def linked(sentence: str, runs: Collection[JobRef]) -> list[Piece]:
    """The sentence in pieces; those that name one of these runs lead to it."""
    named = {each.name: each for each in runs if each.orchestration is not None}
    if not named:
        return [Piece(sentence)]
    longest_first = sorted(named, key=len, reverse=True)
    pattern = rf"({'|'.join(map(re.escape, longest_first))})(?!\d)"
    return [Piece(part, named.get(part)) for part in re.split(pattern, sentence) if part]


def plain(text: str) -> str:
    """A line of a log without what steers a terminal; a carriage return ends a line."""
    return text if text.isprintable() else _CONTROL.sub("", text.replace("\r", "\n"))
