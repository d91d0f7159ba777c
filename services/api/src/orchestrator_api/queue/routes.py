"""Why jobs wait, who holds what, and what ending a job would change."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project, problems
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.paging import Paging
from orchestrator_api.queue import explanations, terminations, timelines
from orchestrator_api.queue import lanes as project_lanes
from orchestrator_api.queue.models import JobExplanationOut, LanesOut, TerminationPreviewOut, TimelineOut
from orchestrator_shared.domain.zones import parse_zone

router = APIRouter(prefix=PREFIX, tags=["jobs"], route_class=GatedRoute)

Zone = Annotated[
    str,
    Query(
        max_length=100,
        description="The IANA time zone of the times in sentences; fields are always in UTC.",
        examples=["Europe/Prague"],
        json_schema_extra={"format": "time-zone"},
    ),
]


@router.get("/jobs/{job}/explanation", operation_id="explain_job", responses=READ)
async def explain_job(call: Call, project: Project, job: UUID, timezone: Zone = "UTC") -> JobExplanationOut:
    """Explain why a job waits now: for whom, at which place in line, since when, and until about when.

    The sentence says it in plain English. A job that does not wait is described, too.
    """
    async with call.session(Scope.READ, project) as session:
        found = await explanations.explain(session, job, parse_zone(timezone))
        return JobExplanationOut.model_validate(found)


@router.get("/jobs/{job}/timeline", operation_id="get_job_timeline", responses=READ)
async def get_job_timeline(call: Call, project: Project, job: UUID) -> TimelineOut:
    """Get what a job waited for and for whom, and when it ran; of a run, for each of its tasks.

    The verdict says in one sentence where the time of the longest path went. All of it is derived from
    recorded times; who held a configuration is null where that is no longer known.
    """
    async with call.session(Scope.READ, project) as session:
        return TimelineOut.model_validate(await timelines.timeline(session, job))


@router.get("/lanes", operation_id="list_lanes", responses=READ)
async def list_lanes(
    call: Call,
    project: Project,
    paging: Paging,
    everything: Annotated[
        bool, Query(alias="all", description="Also lanes without a queue whose holder runs as usual.")
    ] = False,
    timezone: Zone = "UTC",
) -> LanesOut:
    """List the configurations that jobs wait for, or whose holder runs longer than usual, by name.

    A page looks at 500 busy configurations, at most: it may have few items, or none, and still a `next`.
    """
    place = paging.place(str, str)
    async with call.session(Scope.READ, project) as session:
        found = await project_lanes.lanes(
            session, place, paging.rows, everything=everything, zone=parse_zone(timezone)
        )
        page = paging.of(found.lanes, "component", "configuration", then=found.continues_at)
        return LanesOut.model_validate({**page, "slots": found.slots})


@router.get("/jobs/{job}/termination", operation_id="preview_termination", responses=problems(404, 409))
async def preview_termination(
    call: Call, project: Project, job: UUID, timezone: Zone = "UTC"
) -> TerminationPreviewOut:
    """Show what ending a job would stop, and which jobs behind it would start earlier; nothing happens yet.

    Refused with 409 if the job has ended, as the termination itself would be.
    """
    async with call.session(Scope.READ, project) as session:
        found = await terminations.preview(session, job, parse_zone(timezone))
        return TerminationPreviewOut.model_validate(found)
