"""Facts: events that people may want to know about, each under its own key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from orchestrator_shared.contracts.events import ScheduleMissed, TriggerDeadlineMissed
from orchestrator_shared.domain.statuses import JobStatus, NotificationEvent

MAX_LATE_TABLES = 50


class Reason(StrEnum):
    """Why someone gets a mail."""

    SUBSCRIPTION = "subscription"
    STARTER = "starter"
    PERSON = "person"
    """It is about the own account, and holds a link for no one else."""


@dataclass(frozen=True, slots=True)
class RootRun:
    """The outermost run of a tree, and its place in its lane."""

    id: UUID
    project: str
    orchestration: str
    number: int


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What decides who is notified of a run's end."""

    id: UUID
    root_id: UUID
    project: str
    orchestration: str
    status: JobStatus
    attended: bool
    """A person started the root of it."""
    notify: str | None
    """The address of that person, at the root only and unless it was declined."""
    previous_status: JobStatus | None
    """How the last unattended run of the orchestration before this one ended, unless it never started."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened; the same event always makes the same key."""

    key: str
    project: str
    orchestration: str
    event: str
    job_id: UUID | None = None
    root_id: UUID | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    starter: str | None = None
    """Notified of any event."""
    to_subscribers: bool = False
    subscriber: str | None = None
    """The only address that is notified."""
    person: str | None = None
    """The only address that is notified, about the own account."""
    subject: str | None = None
    """Which run below the root it is about; None: the root's own end."""

    @property
    def channel(self) -> str:
        """A mail with a link has a channel of its own, which versions that know of no links leave alone."""
        return "link" if self.person else "email"


SUBSCRIBED_ENDS = {
    JobStatus.ERROR: NotificationEvent.ERROR,
    JobStatus.WARNING: NotificationEvent.WARNING,
    JobStatus.SUCCESS: NotificationEvent.SUCCESS,
}
NOT_SUCCESSFUL = frozenset({JobStatus.ERROR, JobStatus.WARNING, JobStatus.TERMINATED})


def facts_of_run(run: FinishedRun) -> list[Fact]:
    """The end of a run as facts; a recovery comes first, so that it replaces the plain success."""
    recovered = not run.attended and run.status is JobStatus.SUCCESS and run.previous_status in NOT_SUCCESSFUL
    ended = Fact(
        key=f"run-finished:{run.id}",
        project=run.project,
        orchestration=run.orchestration,
        event=SUBSCRIBED_ENDS.get(run.status, run.status).value,
        job_id=run.id,
        root_id=run.root_id,
        detail={"previous_status": run.previous_status} if recovered else {},
        starter=run.notify if run.attended else None,
        to_subscribers=not run.attended and run.status in SUBSCRIBED_ENDS,
    )
    if not recovered:
        return [ended]
    recovery = Fact(
        key=f"run-recovered:{run.id}",
        project=run.project,
        orchestration=run.orchestration,
        event=NotificationEvent.RECOVERED.value,
        job_id=run.id,
        root_id=run.root_id,
        detail={"previous_status": run.previous_status},
        to_subscribers=True,
    )
    return [recovery, ended]


def schedule_missed(message: ScheduleMissed) -> Fact:
    """Missed fires as one fact."""
    return Fact(
        key=f"schedule-missed:{message.schedule_id}:{_stamp(message.first)}:{_stamp(message.last)}",
        project=message.project,
        orchestration=message.orchestration,
        event=NotificationEvent.SCHEDULE_MISSED.value,
        detail={
            "schedule_id": str(message.schedule_id),
            "count": message.count,
            "first": message.first.isoformat(),
            "last": message.last.isoformat(),
        },
        to_subscribers=True,
    )


def deadline_missed(message: TriggerDeadlineMissed) -> Fact:
    """A trigger that lacked tables at its deadline."""
    return Fact(
        key=f"deadline-missed:{message.trigger_id}:{_stamp(message.deadline)}",
        project=message.project,
        orchestration=message.orchestration,
        event=NotificationEvent.DEADLINE_MISSED.value,
        detail={
            "trigger_id": str(message.trigger_id),
            "deadline": message.deadline.isoformat(),
            "late_tables": message.late_tables[:MAX_LATE_TABLES],
            "late_count": len(message.late_tables),
        },
        to_subscribers=True,
    )


def _stamp(at: datetime) -> str:
    return str(round(at.timestamp() * 1_000_000))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail about a fact."""

    address: str
    reason: Reason


def recipients(fact: Fact, subscribers: list[str], notified: set[str]) -> list[Recipient]:
    """Each address once, ignoring case; `notified` already got a better fact about the same run."""
    wanted = [Recipient(fact.starter, Reason.STARTER)] if fact.starter else []
    if fact.person:
        wanted.append(Recipient(fact.person, Reason.PERSON))
    if fact.subscriber:
        wanted.append(Recipient(fact.subscriber, Reason.SUBSCRIPTION))
    if fact.to_subscribers:
        wanted += [Recipient(address, Reason.SUBSCRIPTION) for address in sorted(subscribers)]
    chosen: dict[str, Recipient] = {}
    for recipient in wanted:
        if recipient.address.lower() not in notified:
            chosen.setdefault(recipient.address.lower(), recipient)
    return list(chosen.values())
