"""Schedules, their fires and previews."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    DELETE,
    EDIT,
    ETAG,
    PREFIX,
    READ,
    READ_ONE,
    WRITE,
    Call,
    IdempotencyKey,
    Identifier,
    If,
    Project,
    saved,
    tagged,
)
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page, Switch
from orchestrator_api.http.paging import Paging
from orchestrator_api.schedules import backfills
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.models import (
    BackfillFireOut,
    BackfillIn,
    BackfillOut,
    FireOut,
    PresetOut,
    PreviewOut,
    ScheduleIn,
    ScheduleOut,
    TimesIn,
)
from orchestrator_api.schedules.presets import presets
from orchestrator_api.schedules.rows import ScheduleSpec, StoredSchedule
from orchestrator_api.schedules.times import accept_times, preview
from orchestrator_shared.clock import stamp
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.cron import Fire
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

router = APIRouter(prefix=PREFIX, tags=["schedules"], route_class=GatedRoute)
TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
OF_ORCHESTRATION = "/orchestrations/{orchestration}/schedules"


def _shown(stored: StoredSchedule) -> ScheduleOut:
    """If the time zone no longer exists in the zone data, show the schedule together with the error."""
    shown = ScheduleOut.model_validate(stored)
    try:
        times = accept_times(stored.cron, stored.every_seconds, stored.timezone)
    except UserError as error:
        return shown.model_copy(update={"problem": f"{error.field}: {error.detail}"})
    return shown.model_copy(update={"warning": times.warning})


@router.get(OF_ORCHESTRATION, operation_id="list_schedules", responses=READ)
async def list_schedules(call: Call, project: Project, orchestration: Identifier) -> Page[ScheduleOut]:
    """List the schedules of an orchestration."""
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        rows = await schedules.listing(session, [orchestration])
        return Page[ScheduleOut](items=await session.offload.run(lambda: [_shown(row) for row in rows]))


@router.get(OF_ORCHESTRATION + "/{schedule}", operation_id="get_schedule", responses=READ_ONE)
async def get_schedule(
    call: Call, project: Project, orchestration: Identifier, schedule: Identifier, response: Response
) -> ScheduleOut:
    """Get a schedule and its next fire."""
    async with call.session(Scope.READ, project) as session:
        return tagged(response, _shown(await schedules.find(session, orchestration, schedule)))


@router.put(
    OF_ORCHESTRATION + "/{schedule}",
    operation_id="save_schedule",
    responses=saved(ScheduleOut),
    openapi_extra=takes(Scope.CONFIGURE),
)
async def save_schedule(
    call: Call,
    project: Project,
    orchestration: Identifier,
    schedule: Identifier,
    body: ScheduleIn,
    condition: If,
    response: Response,
) -> ScheduleOut:
    """Create or change a schedule."""
    async with call.session(Scope.CONFIGURE, project) as session:
        spec = ScheduleSpec(**body.model_dump())
        await edits.check_save(session, condition, await schedules.target(session, orchestration, schedule))
        saved = await schedules.save(session, orchestration, schedule, spec)
        row = await schedules.find(session, orchestration, schedule)
        hint = await schedules.hint(session, orchestration) if saved.created else None
    response.status_code = 201 if saved.created else 200
    return tagged(response, _shown(row).model_copy(update={"hint": hint}))


@router.patch(
    OF_ORCHESTRATION + "/{schedule}",
    operation_id="switch_schedule",
    responses=EDIT,
    openapi_extra=takes(Scope.SWITCH, Scope.CONFIGURE),
)
async def switch_schedule(
    call: Call,
    project: Project,
    orchestration: Identifier,
    schedule: Identifier,
    body: Switch,
    condition: If,
    response: Response,
) -> ScheduleOut:
    """Enable or disable a schedule."""
    async with call.session((Scope.SWITCH, Scope.CONFIGURE), project) as session:
        target = await schedules.target(session, orchestration, schedule, switching=True)
        await edits.check(session, condition, target)
        row = await schedules.switch(session, orchestration, schedule, body.enabled)
        return tagged(response, _shown(row))


@router.delete(
    OF_ORCHESTRATION + "/{schedule}", operation_id="delete_schedule", status_code=204, responses=DELETE
)
async def delete_schedule(
    call: Call, project: Project, orchestration: Identifier, schedule: Identifier, condition: If
) -> None:
    """Delete a schedule."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await edits.check(session, condition, await schedules.target(session, orchestration, schedule))
        await schedules.delete(session, orchestration, schedule)


@router.post(
    OF_ORCHESTRATION + "/{schedule}/restore",
    operation_id="restore_schedule",
    responses={200: ETAG, **WRITE},
    openapi_extra=takes(Scope.CONFIGURE),
)
async def restore_schedule(
    call: Call, project: Project, orchestration: Identifier, schedule: Identifier, response: Response
) -> ScheduleOut:
    """Restore a deleted schedule with the record of its fires.

    It goes on from now: what would have fired since it was deleted is not caught up.
    """
    async with call.session(Scope.CONFIGURE, project) as session:
        return tagged(response, _shown(await schedules.restore(session, orchestration, schedule)))


@router.get("/schedules/{schedule_id}/fires", operation_id="list_fires", responses=READ)
async def list_fires(call: Call, project: Project, schedule_id: UUID, paging: Paging) -> Page[FireOut]:
    """List what happened to each fire of a schedule, newest first."""
    before = paging.place(datetime, str)
    async with call.session(Scope.READ, project) as session:
        rows = await schedules.fires(session, schedule_id, before, paging.rows)
    return Page[FireOut].model_validate(paging.of(rows, "scheduled_for", "fire_key"))


@router.get("/schedule-presets", operation_id="list_schedule_presets", responses=READ)
async def list_schedule_presets(
    call: Call,
    project: Project,
    at: Annotated[str, Query(pattern=TIME_OF_DAY, description="The time of day, as `02:30`.")] = "06:00",
    weekday: Annotated[int, Query(ge=0, le=7, description="0 and 7 are Sunday.")] = 1,
    day: Annotated[int, Query(ge=1, le=31, description="The day of the month.")] = 1,
) -> Page[PresetOut]:
    """List usual schedules as cron expressions, with the chosen time, weekday and day filled in."""
    async with call.session(Scope.READ, project):
        found = presets(at=time.fromisoformat(at), weekday=weekday, day=day)
    return Page[PresetOut].model_validate({"items": found})


@router.post(
    "/schedule-previews", operation_id="preview_schedule", responses=WRITE, openapi_extra=takes(Scope.READ)
)
async def preview_schedule(call: Call, project: Project, body: TimesIn) -> PreviewOut:
    """Preview the next fires of a schedule and the next clock changes, without saving it."""
    async with call.session(Scope.READ, project) as session:
        now, offload = session.now, session.offload
    return PreviewOut.model_validate(await offload.run(_preview, body, now))


def _preview(body: TimesIn, now: datetime) -> dict[str, Any]:
    found = preview(accept_times(body.cron, body.every_seconds, body.timezone), now)
    changes = [
        {**columns_of(each), "local": stamp(each.local), "fires": _shown_fires(each.fires)}
        for each in found.clock_changes
    ]
    return {**columns_of(found), "fires": _shown_fires(found.fires), "clock_changes": changes}


def _shown_fires(fires: Iterable[Fire]) -> list[dict[str, Any]]:
    return [
        {"at": fire.at, "local": stamp(fire.local), "moved": fire.moved, "repeated": fire.repeated}
        for fire in fires
    ]


@router.post(
    "/backfills",
    operation_id="backfill_schedule",
    status_code=202,
    responses={200: {"description": "What would be requested (`dry_run`)", "model": BackfillOut}, **WRITE},
    openapi_extra=takes(Scope.READ, Scope.RUN),
)
async def backfill_schedule(
    call: Call, project: Project, body: BackfillIn, response: Response, key: IdempotencyKey = None
) -> BackfillOut:
    """Run the past fires of a schedule, oldest first, one run each. Repeating it adds nothing."""
    async with call.session(Scope.READ if body.dry_run else Scope.RUN, project) as session:
        if not body.dry_run:
            session.actor.require_run(ORCHESTRATOR, body.orchestration)
        given = _backfill_request(body)
        dedup_key = dedup_keys.accept(session, key, "backfill", given)
        backfilled = await backfills.backfill(
            session, backfills.BackfillRequest(**given, dedup_key=dedup_key)
        )
    response.status_code = 200 if body.dry_run else 202
    return BackfillOut(
        schedule_id=backfilled.schedule.id,
        orchestration=backfilled.schedule.orchestration,
        schedule=backfilled.schedule.name,
        dry_run=body.dry_run,
        requested=0 if body.dry_run else sum(fire.is_new for fire in backfilled.fires),
        fires=[BackfillFireOut.model_validate(fire) for fire in backfilled.fires],
    )


def _backfill_request(body: BackfillIn) -> dict[str, Any]:
    return body.model_dump(exclude_none=True)
