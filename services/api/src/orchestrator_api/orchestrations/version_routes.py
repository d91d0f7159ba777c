"""Versions, copies and usages of orchestrations."""

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, usages, versions
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.differences import compare_phases
from orchestrator_api.catalog.version_models import ComparisonOut, RestoreIn, UsageOut, Version
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
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import copies, views
from orchestrator_api.orchestrations import versions as orchestration_versions
from orchestrator_api.orchestrations.models import (
    OrchestrationOut,
    OrchestrationSaved,
    OrchestrationVersionOut,
)
from orchestrator_api.orchestrations.version_models import OrchestrationCopyIn
from orchestrator_shared.database.rows import columns_of

router = APIRouter(
    prefix=f"{PREFIX}/orchestrations/{{orchestration}}", tags=["orchestrations"], route_class=GatedRoute
)


@router.get("/versions/{version}", operation_id="get_orchestration_version", responses=READ)
async def get_version(
    call: Call, project: Project, orchestration: Identifier, version: Version
) -> OrchestrationVersionOut:
    """Get one version of an orchestration; secrets are masked."""
    async with call.session(Scope.READ, project) as session:
        found = await versions.stored(session, orchestration_key(orchestration), version)
        masked = await session.offload.run(configurations.masked, found)
    shown = {**columns_of(masked), "phases": masked.parameters.get("phases", [])}
    return OrchestrationVersionOut.model_validate(shown)


@router.get("/versions/{version}/diff/{other}", operation_id="compare_orchestration_versions", responses=READ)
async def compare_versions(
    call: Call, project: Project, orchestration: Identifier, version: Version, other: Version
) -> ComparisonOut:
    """Compare two versions of an orchestration: what changes from `version` to `other`."""
    async with call.session(Scope.READ, project) as session:
        key = orchestration_key(orchestration)
        return ComparisonOut.of(await versions.compare(session, key, version, other, compare_phases))


@router.post(
    "/versions/{version}/restore",
    operation_id="restore_orchestration_version",
    responses={200: ETAG, **WRITE},
    openapi_extra=takes(Scope.CONFIGURE),
)
async def restore_version(
    call: Call,
    project: Project,
    orchestration: Identifier,
    version: Version,
    body: RestoreIn,
    response: Response,
) -> OrchestrationSaved:
    """Restore an old version: its phases are saved as a new version."""
    async with call.session(Scope.CONFIGURE, project) as session:
        saved = await orchestration_versions.restore(session, orchestration, version, body.note)
        shown = await _shown(session, orchestration)
    return tagged(response, OrchestrationSaved(**dict(shown), changed=saved.changed))


@router.post(
    "/copies",
    operation_id="copy_orchestration",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.CONFIGURE),
)
async def copy_orchestration(
    call: Call, project: Project, orchestration: Identifier, body: OrchestrationCopyIn, response: Response
) -> OrchestrationOut:
    """Copy an orchestration. The copy is disabled until you enable it."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await copies.copy(session, orchestration, body.id, body.name, body.include)
        return tagged(response, await _shown(session, body.id))


@router.get("/usages", operation_id="list_orchestration_usages", responses=READ)
async def list_usages(
    call: Call, project: Project, orchestration: Identifier, paging: Paging
) -> Page[UsageOut]:
    """List the tasks that run this orchestration, with their phases and the versions that they pin."""
    async with call.session(Scope.READ, project) as session:
        rows = await usages.listing(
            session, orchestration_key(orchestration), paging.place(str, str), paging.rows
        )
    return Page[UsageOut].model_validate(paging.of(rows, "orchestration", "task"))


async def _shown(session: Session, orchestration: str) -> OrchestrationOut:
    row = await configurations.load(session, orchestration_key(orchestration))
    (shown,) = await views.orchestrations(session, [row])
    return OrchestrationOut.model_validate(shown)
