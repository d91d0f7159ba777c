"""Backfills: requests runs for the past fires of a schedule, one for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.audit import About
from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.session import Session
from orchestrator_api.runs import idempotency
from orchestrator_api.runs import service as runs
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.backfill_plan import BackfillFire, anchor_of, plan_backfill
from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_api.schedules.store import ScheduleStore
from orchestrator_api.schedules.times import accept_times
from orchestrator_shared.clock import stamp
from orchestrator_shared.contracts import commands
from orchestrator_shared.contracts.commands import BackfillRequested
from orchestrator_shared.domain.ids import ORCHESTRATOR, JobId


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """The schedule to backfill, the period, and the options."""

    start: datetime
    end: datetime
    schedule_id: UUID | None = None
    orchestration: str = ""
    schedule: str = ""
    dry_run: bool = False
    notify: bool = False
    confirm: bool = False
    dedup_key: DedupKey | None = None


@dataclass(frozen=True, slots=True)
class RequestedFire:
    """A fire, and whether this backfill requested its run."""

    scheduled_for: datetime
    local: str
    fire_key: str
    job_id: JobId
    is_new: bool


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What was requested or, in a dry run, would be requested."""

    schedule: StoredSchedule
    fires: list[RequestedFire]


async def backfill(session: Session, request: BackfillRequest) -> Backfilled:
    """Request one run per fire, oldest first; fires that already have a request are skipped."""
    schedule = await _find(session, request)
    if not request.dry_run:
        session.actor.require_run(ORCHESTRATOR, schedule.orchestration)
    times = accept_times(schedule.cron, schedule.every_seconds, schedule.timezone)
    anchor = await _anchor(session, schedule)
    fires = await session.offload.run(
        plan_backfill, schedule.id, times, anchor, request.start, request.end, session.now
    )
    key = orchestration_key(schedule.orchestration)
    await runs.check(session, key, runs.RunRequest(confirm=request.confirm or request.dry_run))
    ids = [fire.job_id for fire in fires]
    if earlier := await idempotency.earlier_requests(session, request.dedup_key):  # repeat the first answer
        known = set(ids) - {each.job_id for each in earlier}
    else:
        known = await runs.known(session, ids)
        if not request.dry_run:
            new = [fire for fire in fires if fire.job_id not in known]
            known |= set(ids) - await _request(session, request, schedule, new)
    shown = [
        RequestedFire(
            fire.scheduled_for, stamp(fire.local), fire.fire_key, fire.job_id, is_new=fire.job_id not in known
        )
        for fire in fires
    ]
    return Backfilled(schedule, shown)


async def _find(session: Session, request: BackfillRequest) -> StoredSchedule:
    if request.schedule_id is None:
        return await schedules.find(session, request.orchestration, request.schedule)
    return await schedules.find_by_id(session, request.schedule_id, field="schedule_id")


async def _anchor(session: Session, schedule: StoredSchedule) -> datetime:
    counted = await ScheduleStore(session.connection).counted(
        project=session.project, schedule_id=schedule.id
    )
    return anchor_of(schedule.every_seconds or 0, schedule.version, schedule.updated_at, counted)


async def _request(
    session: Session, request: BackfillRequest, schedule: StoredSchedule, fires: Sequence[BackfillFire]
) -> set[JobId]:
    """Request the runs; returns the jobs that had not been requested before."""
    orchestration = schedule.orchestration
    wanted = {fire.job_id: fire.scheduled_for for fire in fires}
    new = await runs.request_fires(session, orchestration_key(orchestration), wanted, request.dedup_key)
    requested = [fire for fire in fires if fire.job_id in new]
    if requested:
        session.publish(_message(session, request, schedule, requested))
    period = {"from": stamp(request.start), "to": stamp(request.end)}
    subject = f"{orchestration}/{schedule.name}"
    about = About(id=str(schedule.id))
    await session.record("schedule.backfilled", subject, about, **period, requested=len(new))
    return new


def _message(
    session: Session, request: BackfillRequest, schedule: StoredSchedule, fires: Sequence[BackfillFire]
) -> BackfillRequested:
    attended = session.actor.origin.is_attended
    return BackfillRequested(
        project=session.project,
        configuration=schedule.orchestration,
        origin=session.actor.origin,
        requested_at=session.now,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        notify=session.actor.email if attended and request.notify else None,
        attended=attended,
        schedule_id=schedule.id,
        fires=[
            commands.BackfillFire(
                job_id=fire.job_id, fire_key=fire.fire_key, scheduled_for=fire.scheduled_for
            )
            for fire in fires
        ],
    )
