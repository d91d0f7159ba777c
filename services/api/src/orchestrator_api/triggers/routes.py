"""Triggers: what they wait for, and why they did or did not fire."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    DELETE,
    EDIT,
    PREFIX,
    READ,
    READ_ONE,
    WRITE,
    Call,
    Identifier,
    If,
    Project,
    saved,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page, Switch
from orchestrator_api.http.paging import Paging
from orchestrator_api.http.zones import ZoneName
from orchestrator_api.triggers import explanations, rhythms
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.models import (
    DispositionOut,
    ExplanationOut,
    TriggerIn,
    TriggerOut,
    TriggerPreviewIn,
    TriggerPreviewOut,
)
from orchestrator_api.triggers.rows import TriggerSpec
from orchestrator_shared.domain.zones import parse_zone

router = APIRouter(prefix=PREFIX, tags=["triggers"], route_class=GatedRoute)
OF_ORCHESTRATION = "/orchestrations/{orchestration}/triggers"


@router.get(OF_ORCHESTRATION, operation_id="list_triggers", responses=READ)
async def list_triggers(call: Call, project: Project, orchestration: Identifier) -> Page[TriggerOut]:
    """List the triggers of an orchestration."""
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        rows = await triggers.listing(session, [orchestration])
    return Page[TriggerOut].model_validate({"items": rows})


@router.get(OF_ORCHESTRATION + "/{trigger}", operation_id="get_trigger", responses=READ_ONE)
async def get_trigger(
    call: Call, project: Project, orchestration: Identifier, trigger: Identifier, response: Response
) -> TriggerOut:
    """Get a trigger."""
    async with call.session(Scope.READ, project) as session:
        row = await triggers.find(session, orchestration, trigger)
    return tagged(response, TriggerOut.model_validate(row))


@router.put(
    OF_ORCHESTRATION + "/{trigger}",
    operation_id="save_trigger",
    responses=saved(TriggerOut),
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_trigger(
    call: Call,
    project: Project,
    orchestration: Identifier,
    trigger: Identifier,
    body: TriggerIn,
    condition: If,
    response: Response,
) -> TriggerOut:
    """Create or change a trigger; tables that it keeps keep their counts."""
    async with call.session(Scope.CONFIGURE, project) as session:
        spec = TriggerSpec(**body.model_dump())
        await edits.check_save(session, condition, await triggers.target(session, orchestration, trigger))
        saved = await triggers.save(session, orchestration, trigger, spec)
        row = await triggers.find(session, orchestration, trigger)
    response.status_code = 201 if saved.created else 200
    return tagged(response, TriggerOut.model_validate(row))


@router.patch(
    OF_ORCHESTRATION + "/{trigger}",
    operation_id="switch_trigger",
    responses=EDIT,
    openapi_extra=takes(Scope.SWITCH, Scope.CONFIGURE),
)
async def switch_trigger(
    call: Call,
    project: Project,
    orchestration: Identifier,
    trigger: Identifier,
    body: Switch,
    condition: If,
    response: Response,
) -> TriggerOut:
    """Enable or disable a trigger."""
    async with call.session((Scope.SWITCH, Scope.CONFIGURE), project) as session:
        target = await triggers.target(session, orchestration, trigger, switching=True)
        await edits.check(session, condition, target)
        row = await triggers.switch(session, orchestration, trigger, body.enabled)
    return tagged(response, TriggerOut.model_validate(row))


@router.delete(
    OF_ORCHESTRATION + "/{trigger}", operation_id="delete_trigger", status_code=204, responses=DELETE
)
async def delete_trigger(
    call: Call, project: Project, orchestration: Identifier, trigger: Identifier, condition: If
) -> None:
    """Delete a trigger."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await edits.check(session, condition, await triggers.target(session, orchestration, trigger))
        await triggers.delete(session, orchestration, trigger)


@router.get("/triggers/{trigger_id}/dispositions", operation_id="list_dispositions", responses=READ)
async def list_dispositions(
    call: Call, project: Project, trigger_id: UUID, paging: Paging
) -> Page[DispositionOut]:
    """List what happened to each table update for this trigger, newest first."""
    before = paging.place(datetime, str, str, int)
    async with call.session(Scope.READ, project) as session:
        rows = await triggers.dispositions(session, trigger_id, before, paging.rows)
    return Page[DispositionOut].model_validate(paging.of(rows, "at", "project", "table_name", "seq"))


@router.get("/triggers/{trigger_id}/explanation", operation_id="explain_trigger", responses=READ)
async def explain_trigger(
    call: Call, project: Project, trigger_id: UUID, timezone: ZoneName = "UTC"
) -> ExplanationOut:
    """Explain why the trigger did or did not start its orchestration, and how late its tables are."""
    async with call.session(Scope.READ, project) as session:
        found = await explanations.explain(session, trigger_id, parse_zone(timezone))
    return ExplanationOut.model_validate(found)


@router.post(
    "/trigger-previews",
    operation_id="preview_trigger",
    responses=WRITE,
    openapi_extra=takes(Scope.READ, max_bytes=LARGE),
)
async def preview_trigger(call: Call, project: Project, body: TriggerPreviewIn) -> TriggerPreviewOut:
    """Preview a trigger without saving it: the rhythm of its tables, and what its cool-down would have cost.

    Recorded updates of the last seven days (at most 200 of each table) are replayed in mode `ignore`. Mode
    `defer` drops none.
    """
    async with call.session(Scope.READ, project) as session:
        found = await rhythms.preview(session, body.tables, body.cool_down_seconds, parse_zone(body.timezone))
    return TriggerPreviewOut.model_validate(found)


@router.post("/triggers/{trigger_id}/reset", operation_id="reset_trigger", status_code=204, responses=WRITE)
async def reset_trigger(call: Call, project: Project, trigger_id: UUID) -> None:
    """Discard what the trigger has counted. This ends neither a cool-down nor a waiting run."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await triggers.reset(session, trigger_id)
