"""Versions, copies and usages of components' configurations."""

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, copies, usages, versions
from orchestrator_api.catalog.configurations import component_key
from orchestrator_api.catalog.models import ConfigurationOut, ConfigurationSaved, VersionOut
from orchestrator_api.catalog.rows import SavedConfiguration
from orchestrator_api.catalog.version_models import ComparisonOut, CopyIn, RestoreIn, UsageOut, Version
from orchestrator_api.http.dependencies import (
    CREATE,
    ETAG,
    PREFIX,
    READ,
    WRITE,
    Call,
    Identifier,
    Project,
    tagged,
)
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_shared.database.rows import columns_of

router = APIRouter(
    prefix=f"{PREFIX}/configurations/{{component}}/{{configuration}}",
    tags=["configurations"],
    route_class=GatedRoute,
)


@router.get("/versions/{version}", operation_id="get_configuration_version", responses=READ)
async def get_version(
    call: Call, project: Project, component: Identifier, configuration: Identifier, version: Version
) -> VersionOut:
    """Get one version of a configuration; secrets are masked."""
    async with call.session(Scope.READ, project) as session:
        found = await versions.stored(session, component_key(component, configuration), version)
    return VersionOut.model_validate(configurations.masked(found))


@router.get("/versions/{version}/diff/{other}", operation_id="compare_configuration_versions", responses=READ)
async def compare_versions(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    version: Version,
    other: Version,
) -> ComparisonOut:
    """Compare two versions of a configuration: what changes from `version` to `other`."""
    async with call.session(Scope.READ, project) as session:
        key = component_key(component, configuration)
        return ComparisonOut.of(await versions.compare(session, key, version, other))


@router.post(
    "/versions/{version}/restore",
    operation_id="restore_configuration_version",
    responses={200: ETAG, **WRITE},
    openapi_extra=takes(Scope.CONFIGURE),
)
async def restore_version(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    version: Version,
    body: RestoreIn,
    response: Response,
) -> ConfigurationSaved:
    """Restore an old version: its parameters are saved as a new version."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = component_key(component, configuration)
        saved = await versions.restore(session, key, version, body.note)
        stored = await configurations.load(session, key)
    shown = SavedConfiguration(**columns_of(configurations.masked(stored)), changed=saved.changed)
    return tagged(response, ConfigurationSaved.model_validate(shown))


@router.post(
    "/copies",
    operation_id="copy_configuration",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.CONFIGURE),
)
async def copy_configuration(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    body: CopyIn,
    response: Response,
) -> ConfigurationOut:
    """Copy a configuration in its current version; secrets are copied without being shown."""
    async with call.session(Scope.CONFIGURE, project) as session:
        key = await copies.copy(session, component_key(component, configuration), body.id, body.name)
        stored = await configurations.load(session, key)
    return tagged(response, ConfigurationOut.model_validate(configurations.masked(stored)))


@router.get("/usages", operation_id="list_configuration_usages", responses=READ)
async def list_usages(
    call: Call, project: Project, component: Identifier, configuration: Identifier, paging: Paging
) -> Page[UsageOut]:
    """List the tasks that run this configuration, with their phases and the versions that they pin."""
    async with call.session(Scope.READ, project) as session:
        rows = await usages.listing(
            session, component_key(component, configuration), paging.place(str, str), paging.rows
        )
    return Page[UsageOut].model_validate(paging.of(rows, "orchestration", "task"))
