"""What stands beside the times of a run: what started it, and whom it notified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.rows import Delivery, DeliveryFilter
from orchestrator_api.queue import explanations
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.runs.rows import Job
from orchestrator_api.schedules import service as schedules
from orchestrator_api.triggers import service as triggers
from orchestrator_api.web.runs.words import ORIGINS
from orchestrator_shared.domain.errors import NotFound

NOTIFIED_WITHIN: Final = timedelta(minutes=10)
"""After its end; mails that wait longer are listed with all deliveries."""
MOST_DELIVERIES: Final = 200


@dataclass(frozen=True, slots=True)
class StartedBy:
    """Who or what, and what kind of start that is."""

    icon: str
    name: str
    kind: str = ""
    run: JobRef | None = None
    """The run of which this one is a task, to link to it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """For the row of facts."""

    started_by: StartedBy
    notified: Sequence[Delivery]


async def facts_of(session: Session, run: Job) -> Facts:
    """Reads them, beyond what the run itself says."""
    return Facts(started_by=await started_by(session, run), notified=await _notified(session, run))


async def started_by(session: Session, run: Job) -> StartedBy:
    """Who or what started it."""
    icon, kind = ORIGINS.get(run.origin, ("user", ""))
    try:
        if run.origin == "schedule" and run.schedule_id is not None:
            schedule = await schedules.find_by_id(session, run.schedule_id, field="schedule")
            return StartedBy(icon, schedule.name, "schedule")
        if run.origin == "trigger" and run.trigger_id is not None:
            return StartedBy(icon, (await triggers.find_by_id(session, run.trigger_id)).name, "trigger")
        if run.parent_id is not None:
            outer = (await explanations.references(session, [run.parent_id])).get(run.parent_id)
            if outer is not None:
                return StartedBy(icon, f"{outer.configuration} #{outer.number}", "as a task of it", outer)
    except NotFound:  # deleted since
        return StartedBy(icon, kind)
    return StartedBy(icon, kind or run.requested_by or run.origin, run.requested_by or "" if kind else "")


async def _notified(session: Session, run: Job) -> list[Delivery]:
    """The mails about this run, each address once, the newest."""
    wanted = DeliveryFilter(
        orchestration=run.configuration,
        since=run.requested_at,
        until=(run.finished_at or session.now) + NOTIFIED_WITHIN,
        limit=MOST_DELIVERIES,
    )
    found = await notifications.deliveries(session, wanted)
    return list({each.recipient: each for each in reversed(found) if each.job_id == run.id}.values())
