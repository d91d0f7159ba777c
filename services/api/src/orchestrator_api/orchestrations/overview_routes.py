"""The overview of a project's orchestrations: counts by filter, and what needs attention."""

from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import listing
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.paging import Search
from orchestrator_api.http.zones import ZoneName
from orchestrator_api.orchestrations import attention
from orchestrator_api.orchestrations.filters import LabelsWanted, capped
from orchestrator_api.orchestrations.overview_models import AttentionOut, CountsOut
from orchestrator_shared.domain.zones import parse_zone

router = APIRouter(prefix=PREFIX, tags=["orchestrations"], route_class=GatedRoute)


@router.get("/orchestration-counts", operation_id="count_orchestrations", responses=READ)
async def count_orchestrations(
    call: Call, project: Project, search: Search = None, label: LabelsWanted = None
) -> CountsOut:
    """Count the orchestrations that each filter of the list shows, and the labels in use.

    Counts end at 1,000. At most 10,000 orchestrations are looked at; beyond that every count says `more`.
    """
    async with call.session(Scope.READ, project) as session:
        counts = capped(await listing.counts(session, search, label or None))
        labels = await listing.labels_in_use(session)
    return CountsOut.model_validate({**counts, "labels": labels})


@router.get("/attention", operation_id="list_attention", responses=READ)
async def list_attention(
    call: Call,
    project: Project,
    limit: Annotated[int, Query(ge=1, le=50, description="How many to show.")] = 5,
    timezone: ZoneName = "UTC",
) -> AttentionOut:
    """List what needs attention in the project.

    These are orchestrations whose last failure no later run or retry has solved, runs that take or wait
    longer than usual (by 20 %, after five successful runs), tables that a trigger waits for and that are late
    beside their usual rhythm, and schedules that missed their last fire or are overdue.
    """
    async with call.session(Scope.READ, project) as session:
        found = await attention.find(session, limit, parse_zone(timezone))
    return AttentionOut.model_validate(found)
