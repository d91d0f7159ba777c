"""The trash of a project."""

from datetime import datetime

from fastapi import APIRouter

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import trash as catalog_trash
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, Identifier, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.orchestrations import trash
from orchestrator_api.orchestrations.trash_models import RestoredOut, TrashedOut

router = APIRouter(prefix=f"{PREFIX}/trash", tags=["trash"], route_class=GatedRoute)


@router.get("", operation_id="list_trash", responses=READ)
async def list_trash(call: Call, project: Project, paging: Paging) -> Page[TrashedOut]:
    """List deleted configurations and orchestrations, the most recently deleted first."""
    before = paging.place(datetime, str)
    async with call.session(Scope.READ, project) as session:
        rows = await catalog_trash.listing(session, before, paging.rows)
    return Page[TrashedOut].model_validate(paging.of(rows, "deleted_at", "key"))


@router.post("/{component}/{configuration}/restore", operation_id="restore_from_trash", responses=WRITE)
async def restore_from_trash(
    call: Call, project: Project, component: Identifier, configuration: Identifier
) -> RestoredOut:
    """Restore a deleted configuration or, with the component `orchestrator`, a deleted orchestration."""
    async with call.session(Scope.CONFIGURE, project) as session:
        restored = await trash.restore(session, Key(component, configuration))
    return RestoredOut.model_validate(restored)


@router.delete(
    "/{component}/{configuration}", operation_id="purge_from_trash", status_code=204, responses=WRITE
)
async def purge_from_trash(
    call: Call, project: Project, component: Identifier, configuration: Identifier
) -> None:
    """Permanently delete a configuration or orchestration that is in the trash, with all its versions.

    Its past jobs stay.
    """
    async with call.session(Scope.ADMINISTER, project) as session:
        await trash.purge(session, Key(component, configuration))
