"""Configurations of components, and their runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, listing, versions
from orchestrator_api.catalog.configurations import ConfigurationSpec, Key
from orchestrator_api.catalog.models import (
    ConfigurationIn,
    ConfigurationOut,
    ConfigurationSaved,
    OfType,
    Sort,
    VersionOut,
)
from orchestrator_api.catalog.rows import ConfigurationFilter, SavedConfiguration
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    DELETE,
    PREFIX,
    READ,
    READ_ONE,
    Call,
    Identifier,
    If,
    Project,
    saved,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging, Search
from orchestrator_shared.database.rows import columns_of

router = APIRouter(prefix=f"{PREFIX}/configurations", tags=["configurations"], route_class=GatedRoute)


@router.get("", operation_id="list_configurations", responses=READ)
async def list_configurations(
    call: Call,
    project: Project,
    paging: Paging,
    component: Annotated[str | None, Query(max_length=64)] = None,
    search: Search = None,
    kind: OfType = None,
    sort: Sort = "id",
) -> Page[ConfigurationOut]:
    """List the configurations of the project, of one component in it, or of all components of a type.

    A search looks at the components, ids, names and descriptions of all of them.
    Those of several components are sorted by component first.
    """
    async with call.session(Scope.READ, project) as session:
        wanted = ConfigurationFilter(component, search, type=kind)
        part, found = await listing.page(session, wanted, paging.sorted_by(sort, default="id"))
        shown = await session.offload.run(configurations.all_masked, found)
    return Page[ConfigurationOut].model_validate(listing.shown_page(part, shown))


@router.get("/{component}/{configuration}", operation_id="get_configuration", responses=READ_ONE)
async def get_configuration(
    call: Call, project: Project, component: Identifier, configuration: Identifier, response: Response
) -> ConfigurationOut:
    """Get a configuration; secrets are masked."""
    async with call.session(Scope.READ, project) as session:
        found = await configurations.load(session, configurations.component_key(component, configuration))
    return tagged(response, ConfigurationOut.model_validate(configurations.masked(found)))


@router.put(
    "/{component}/{configuration}",
    operation_id="save_configuration",
    responses=saved(ConfigurationSaved),
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_configuration(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    body: ConfigurationIn,
    condition: If,
    response: Response,
) -> ConfigurationSaved:
    """Save a configuration; changed parameters create a new version."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = Key(component, configuration)
        await edits.check_save(session, condition, await configurations.component_target(session, key))
        spec = ConfigurationSpec(
            body.name or configuration, body.description, True, body.parameters, body.note
        )
        saved = await configurations.save_component_configuration(session, key, spec)
        stored = await configurations.load(session, key)
    response.status_code = 201 if saved.created else 200
    shown = SavedConfiguration(**columns_of(configurations.masked(stored)), changed=saved.changed)
    return tagged(response, ConfigurationSaved.model_validate(shown))


@router.delete(
    "/{component}/{configuration}", operation_id="delete_configuration", status_code=204, responses=DELETE
)
async def delete_configuration(
    call: Call, project: Project, component: Identifier, configuration: Identifier, condition: If
) -> None:
    """Move a configuration to the trash; saving it again restores it."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = configurations.component_key(component, configuration)
        await edits.check(session, condition, await configurations.target(session, key, deleting=True))
        await configurations.delete(session, key)


@router.get(
    "/{component}/{configuration}/versions", operation_id="list_configuration_versions", responses=READ
)
async def list_versions(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    paging: Paging,
) -> Page[VersionOut]:
    """List the versions of a configuration, newest first."""
    async with call.session(Scope.READ, project) as session:
        key = configurations.component_key(component, configuration)
        part, shown = await versions.listing(session, key, paging)
    return Page[VersionOut].model_validate(part.of(shown, "version"))
