"""What the confirmation of a termination says: the question, and what else happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.words import Times, counted, listed
from orchestrator_shared.domain.durations import about_duration

NAMED = 5


@dataclass(frozen=True, slots=True)
class Behind:
    """A job that waits behind what would stop, and would start earlier."""

    job: JobRef
    expected_start: datetime | None
    expected_start_after: datetime | None


@dataclass(frozen=True, slots=True)
class Stopping:
    """What would stop with a job."""

    name: str
    """The job's own."""
    status: str
    attempt: int
    started_at: datetime | None
    usual_seconds: float | None
    is_run: bool
    counted_in: str | None
    """The run that counts it as failed."""
    running: Sequence[str]
    """The tasks below it that are running: component/configuration."""
    waiting: int
    """How many tasks below it wait."""
    nested: int
    behind: Sequence[Behind]
    behind_count: int


def question(stopping: Stopping, times: Times) -> str:
    """`Terminate nightly-sales #411? It has run for 41 min, usually 48 min.`"""
    return f"Terminate {stopping.name}? {_so_far(stopping, times)}"


def _so_far(stopping: Stopping, times: Times) -> str:
    if stopping.status == "terminating":
        return "It is already being stopped."
    if stopping.status != "processing" or stopping.started_at is None:
        tried = "It waits for its next attempt, which will not start."
        return tried if stopping.attempt else "It has not started and will be cancelled."
    ran = about_duration((times.now - stopping.started_at).total_seconds())
    usual = f", usually {about_duration(stopping.usual_seconds)}" if stopping.usual_seconds else ""
    return f"It has run for {ran}{usual}."


def consequences(stopping: Stopping, times: Times) -> list[str]:
    """One sentence for each thing that happens besides."""
    said = []
    if stopping.running:
        verb = "stops" if len(stopping.running) == 1 else "stop"
        said.append(f"{counted(len(stopping.running), 'running task')} {verb}: {_names(stopping.running)}.")
    if stopping.nested:
        verb = "ends" if stopping.nested == 1 else "end"
        said.append(f"{counted(stopping.nested, 'nested run')} {verb} with it.")
    if stopping.waiting:
        verb = "is" if stopping.waiting == 1 else "are"
        said.append(f"{counted(stopping.waiting, 'waiting task')} {verb} cancelled.")
    if stopping.is_run and stopping.status == "processing":
        said.append("Tasks that have not started will not run.")
    if stopping.counted_in is not None:
        said.append(f"{stopping.counted_in} counts it as failed.")
    if stopping.behind:
        said.append(_first_behind(stopping, times))
    return said


def _names(running: Sequence[str]) -> str:
    named = list(running[:NAMED])
    if rest := len(running) - len(named):
        named.append(f"{rest} more")
    return listed(named)


def _first_behind(stopping: Stopping, times: Times) -> str:
    """`crm-sync #208 would start now instead of about 07:31 UTC, and 2 more jobs earlier.`"""
    first = stopping.behind[0]
    when = "earlier" if first.expected_start_after is None else times.about(first.expected_start_after)
    instead = f" instead of {times.about(first.expected_start)}" if first.expected_start else ""
    more = stopping.behind_count - 1
    others = f", and {counted(more, 'more job')} earlier" if more else ""
    return f"{first.job.name} would start {when}{instead}{others}."
