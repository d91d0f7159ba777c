"""When a run takes or waits too long for a subscriber: decided from its recorded times."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from orchestrator_notifier.domain.facts import Fact
from orchestrator_shared.domain.statuses import NotificationEvent

LEAST_RUNS = 5
"""Number of successful runs needed before a duration counts as usual."""
LATE_EVENTS = frozenset({NotificationEvent.PROCESSING_LONG, NotificationEvent.WAITING_LONG})


@dataclass(frozen=True, slots=True)
class Watched:
    """A run, and one subscription to its being late."""

    job_id: UUID
    subscription_id: UUID
    root_id: UUID
    project: str
    orchestration: str
    event: NotificationEvent
    address: str
    percent: int | None
    minutes: int | None
    since: datetime
    """When the subscription was last changed."""
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    usual_seconds: float | None
    usual_runs: int
    """Of so many successful full runs before its start `usual_seconds` is the mean."""

    @property
    def key(self) -> str:
        """Of the timer and of the fact: there is one message at most."""
        return f"{self.event.value.replace('_', '-')}:{self.job_id}:{self.subscription_id}"


def due_at(run: Watched) -> datetime | None:
    """When it becomes too long; None if there is no usual duration yet or it has not begun."""
    if run.event is NotificationEvent.WAITING_LONG:
        return max(run.accepted_at + timedelta(minutes=run.minutes or 0), run.since)
    if run.started_at is None or run.usual_seconds is None or run.usual_runs < LEAST_RUNS:
        return None
    seconds = run.usual_seconds * (100 + (run.percent or 0)) / 100
    return max(run.started_at + timedelta(seconds=seconds), run.since)


def may_be_late(run: Watched) -> datetime | None:
    """When to check whether it is late; None if it ended before, or needs no check."""
    due, over = due_at(run), _over_at(run)
    return due if due is not None and (over is None or over > due) else None


def _over_at(run: Watched) -> datetime | None:
    """When the waiting or the processing ended."""
    if run.event is NotificationEvent.WAITING_LONG:
        return run.started_at or run.finished_at
    return run.finished_at


def late_fact(run: Watched) -> Fact:
    """What its subscriber is notified of."""
    detail: dict[str, Any] = {"minutes": run.minutes, "accepted_at": run.accepted_at.isoformat()}
    if run.event is NotificationEvent.PROCESSING_LONG:
        detail = {
            "percent": run.percent,
            "usual_seconds": run.usual_seconds,
            "usual_runs": run.usual_runs,
        }
    return Fact(
        key=run.key,
        project=run.project,
        orchestration=run.orchestration,
        event=run.event.value,
        job_id=run.job_id,
        root_id=run.root_id,
        detail=detail,
        subscriber=run.address,
        subject=str(run.job_id),
    )
