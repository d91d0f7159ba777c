"""Orchestrations."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from orchestrator_api.access import orchestration_tokens
from orchestrator_api.access.models import OrchestrationTokenIn, TokenOut
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, listing, versions
from orchestrator_api.catalog.rows import ConfigurationFilter
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
from orchestrator_api.http.paging import Paging, Search
from orchestrator_api.orchestrations import previews, views
from orchestrator_api.orchestrations import service as orchestrations
from orchestrator_api.orchestrations.filters import (
    LabelsWanted,
    LastRunIs,
    OrchestrationSort,
    StartsBy,
    statuses_of,
)
from orchestrator_api.orchestrations.models import (
    ArrangementIn,
    ArrangementPreview,
    GroupingIn,
    OrchestrationIn,
    OrchestrationOut,
    OrchestrationSaved,
    OrchestrationVersionOut,
)
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.definitions.operations import GroupByType, OneTaskPerPhase, Operation
from orchestrator_shared.domain.ids import ORCHESTRATOR

router = APIRouter(prefix=f"{PREFIX}/orchestrations", tags=["orchestrations"], route_class=GatedRoute)


@router.get("", operation_id="list_orchestrations", responses=READ)
async def list_orchestrations(
    call: Call,
    project: Project,
    paging: Paging,
    search: Search = None,
    enabled: bool | None = None,
    status: Annotated[
        list[LastRunIs] | None,
        Query(max_length=7, description="Only those whose last run is so; may be given several times."),
    ] = None,
    starts: Annotated[
        StartsBy | None,
        Query(description="Only those with a schedule (`time`), a trigger (`tables`) or neither."),
    ] = None,
    label: LabelsWanted = None,
    sort: OrchestrationSort = "id",
    recent_runs: Annotated[
        int, Query(ge=0, le=20, description="How many of the newest runs to show of each.")
    ] = 0,
) -> Page[OrchestrationOut]:
    """List the orchestrations of the project, with their last run and next fire.

    A search looks at the ids, names, descriptions and labels of all of them.
    """
    labels = tuple(label) if label else None
    wanted = ConfigurationFilter(ORCHESTRATOR, search, enabled, labels, starts, statuses_of(status or ()))
    async with call.session(Scope.READ, project) as session:
        part, rows = await listing.page(session, wanted, paging.sorted_by(sort, default="id"))
        page = listing.shown_page(part, rows)
        page["items"] = await views.orchestrations(
            session, page["items"], with_tables=False, recent=recent_runs
        )
    return Page[OrchestrationOut].model_validate(page)


@router.get("/{orchestration}", operation_id="get_orchestration", responses=READ_ONE)
async def get_orchestration(
    call: Call, project: Project, orchestration: Identifier, response: Response
) -> OrchestrationOut:
    """Get an orchestration: phases, schedules, triggers, notifications, last run, next fire."""
    async with call.session(Scope.READ, project) as session:
        row = await configurations.load(session, configurations.orchestration_key(orchestration))
        shown = await views.orchestrations(session, [row])
    return tagged(response, OrchestrationOut.model_validate(shown[0]))


@router.put(
    "/{orchestration}",
    operation_id="save_orchestration",
    responses=saved(OrchestrationSaved),
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_orchestration(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: OrchestrationIn,
    condition: If,
    response: Response,
) -> OrchestrationSaved:
    """Save an orchestration; changed phases create a new version. It may have no tasks yet."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = configurations.orchestration_key(orchestration)
        await edits.check_save(session, condition, await configurations.target(session, key))
        phases: list[dict[str, Any]] = body.model_dump()["phases"]
        name = body.name or orchestration
        spec = OrchestrationSpec(name, body.description, body.enabled, phases, body.note, body.labels)
        saved = await orchestrations.save(session, orchestration, spec)
        row = await configurations.load(session, key)
        shown = await views.orchestrations(session, [row])
    response.status_code = 201 if saved.created else 200
    plain = OrchestrationOut.model_validate(shown[0])
    return tagged(response, OrchestrationSaved(**dict(plain), changed=saved.changed))


@router.patch(
    "/{orchestration}",
    operation_id="switch_orchestration",
    responses=EDIT,
    openapi_extra=takes(Scope.SWITCH, Scope.CONFIGURE),
)
async def switch_orchestration(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: Switch,
    condition: If,
    response: Response,
) -> OrchestrationOut:
    """Enable or disable an orchestration, and with it its schedules and triggers."""
    async with call.session((Scope.SWITCH, Scope.CONFIGURE), project) as session:
        key = configurations.orchestration_key(orchestration)
        await edits.check(session, condition, await configurations.switch_target(session, key))
        await orchestrations.switch(session, orchestration, body.enabled)
        shown = await views.orchestrations(session, [await configurations.load(session, key)])
    return tagged(response, OrchestrationOut.model_validate(shown[0]))


@router.delete("/{orchestration}", operation_id="delete_orchestration", status_code=204, responses=DELETE)
async def delete_orchestration(
    call: Call, project: Project, orchestration: Identifier, condition: If
) -> None:
    """Move an orchestration to the trash; saving it again restores it."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = configurations.orchestration_key(orchestration)
        await edits.check(session, condition, await configurations.target(session, key, deleting=True))
        await orchestrations.delete(session, orchestration)


@router.get("/{orchestration}/versions", operation_id="list_orchestration_versions", responses=READ)
async def list_orchestration_versions(
    call: Call, project: Project, orchestration: Identifier, paging: Paging
) -> Page[OrchestrationVersionOut]:
    """List the versions of an orchestration, newest first."""
    async with call.session(Scope.READ, project) as session:
        key = configurations.orchestration_key(orchestration)
        part, masked = await versions.listing(session, key, paging)
    shown = [{**columns_of(each), "phases": each.parameters.get("phases", [])} for each in masked]
    return Page[OrchestrationVersionOut].model_validate(part.of(shown, "version"))


@router.post(
    "/{orchestration}/grouping",
    operation_id="group_tasks",
    responses=WRITE,
    openapi_extra=takes(Scope.READ, max_bytes=LARGE),
)
async def group_tasks(
    call: Call, project: Project, orchestration: Identifier, body: GroupingIn
) -> ArrangementPreview:
    """Preview the tasks grouped by the type of their component, or one per phase. Nothing is saved."""
    how = GroupByType(operation="group_by_type")
    operation = how if body.by == "type" else OneTaskPerPhase(operation="one_task_per_phase")
    return await _preview(call, project, orchestration, [operation], body)


@router.post(
    "/{orchestration}/arrangement",
    operation_id="arrange_tasks",
    responses=WRITE,
    openapi_extra=takes(Scope.READ, max_bytes=LARGE),
)
async def arrange_tasks(
    call: Call, project: Project, orchestration: Identifier, body: ArrangementIn
) -> ArrangementPreview:
    """Preview the phases after moving tasks, or renaming, moving or merging phases. Nothing is saved."""
    return await _preview(call, project, orchestration, body.operations, body)


async def _preview(
    call: Call,
    project: str,
    orchestration: str,
    operations: Sequence[Operation],
    body: GroupingIn | ArrangementIn,
) -> ArrangementPreview:
    given: list[dict[str, Any]] | None = body.model_dump()["phases"]
    async with call.session(Scope.READ, project) as session:
        arranged = await previews.preview(session, orchestration, operations, given)
    return ArrangementPreview.model_validate(arranged)


@router.get("/{orchestration}/token", operation_id="get_orchestration_token", responses=READ_ONE)
async def get_orchestration_token(
    call: Call, project: Project, orchestration: Identifier, response: Response
) -> TokenOut:
    """Get the token that the orchestration's jobs run as; its secret is never shown."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        row = await orchestration_tokens.load(session, orchestration)
    return tagged(response, TokenOut.model_validate(row))


@router.put(
    "/{orchestration}/token",
    operation_id="change_orchestration_token",
    responses=EDIT,
    openapi_extra=takes(Scope.ADMINISTER, max_bytes=LARGE),
)
async def change_orchestration_token(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: OrchestrationTokenIn,
    condition: If,
    response: Response,
) -> TokenOut:
    """Set which components the orchestration's tasks may run (project admins only).

    From its next start on, a task of any other component fails with an error that names the component.
    """
    async with call.session(Scope.ADMINISTER, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        await edits.check(session, condition, await orchestration_tokens.target(session, orchestration))
        row = await orchestrations.narrow_token(session, orchestration, body.components)
    return tagged(response, TokenOut.model_validate(row))


@router.post(
    "/{orchestration}/token/refresh",
    operation_id="refresh_orchestration_token",
    status_code=204,
    responses=WRITE,
)
async def refresh_orchestration_token(call: Call, project: Project, orchestration: Identifier) -> None:
    """Replace the secret of the orchestration's token."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await orchestrations.refresh_token(session, orchestration)
