"""Components."""

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components
from orchestrator_api.catalog.models import ComponentIn, ComponentOut
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import READ, READ_ONE, Call, Identifier, If, saved, tagged
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_shared.domain.errors import NotFound

router = APIRouter(prefix="/v1/components", tags=["components"], route_class=GatedRoute)


@router.get("", operation_id="list_components", responses=READ)
async def list_components(call: Call, paging: Paging) -> Page[ComponentOut]:
    """List the registered components, which all projects share. Only administrators see how they are run."""
    (after,) = paging.place(str)
    async with call.session(Scope.READ) as session:
        found = await components.listing(session, after, paging.rows)
    shown = [components.shown_to(session.actor, each) for each in found]
    return Page[ComponentOut].model_validate(paging.of(shown, "id"))


@router.get("/{component}", operation_id="get_component", responses=READ_ONE)
async def get_component(call: Call, component: Identifier, response: Response) -> ComponentOut:
    """Get a component with the schema of its parameters. Only administrators see how it is run."""
    async with call.session(Scope.READ) as session:
        found = await components.find(session, component)
    if found is None:
        raise NotFound(f"there is no component {component!r}", field="component")
    return tagged(response, ComponentOut.model_validate(components.shown_to(session.actor, found)))


@router.put(
    "/{component}",
    operation_id="save_component",
    responses=saved(ComponentOut),
    openapi_extra=takes(Scope.ADMIN, max_bytes=LARGE),
)
async def save_component(
    call: Call, component: Identifier, body: ComponentIn, condition: If, response: Response
) -> ComponentOut:
    """Register a component or change it (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        await edits.check_save(session, condition, await components.target(session, component))
        response.status_code = 201 if await components.save(session, component, body) else 200
        stored = await components.find(session, component)
        assert stored is not None
    return tagged(response, ComponentOut.model_validate(components.shown_to(session.actor, stored)))
