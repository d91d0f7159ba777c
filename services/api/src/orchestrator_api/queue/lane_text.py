"""Says in one sentence who holds a lane and how many wait for it."""

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.usual import Line, is_longer_than_usual
from orchestrator_api.queue.words import Times
from orchestrator_shared.domain.durations import about_duration


def lane_sentence(holder: JobRef | None, waiting: int, line: Line, times: Times) -> str:
    """`3 wait for nightly-sales #411, which has held it since 07:02 UTC, usually for 17 min.`"""
    wait = f"{waiting} {'waits' if waiting == 1 else 'wait'}"
    if holder is None:
        return f"{wait}; a runner starts the next one at any moment."
    held = _held(holder, line, times)
    return f"{wait} for {holder.name}, which {held}." if waiting else f"{holder.name} {held}."


def _held(holder: JobRef, line: Line, times: Times) -> str:
    if holder.status == "terminating":
        return "is being stopped"
    if holder.started_at is None:
        return "is about to start"
    held = f"has held it since {times.zoned(holder.started_at)}"
    if line.usual_seconds is None:
        return held
    usual = about_duration(line.usual_seconds)
    if is_longer_than_usual(line, times.now):
        return f"{held}, longer than its usual {usual}"
    return f"{held}, usually for {usual}"
