"""Retries of finished jobs: fetch a plan, then carry it out."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import STATUS, Scope
from orchestrator_api.http.dependencies import PREFIX, WRITE, Call, IdempotencyKey, Project, problems
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import TaskId
from orchestrator_api.runs import retries
from orchestrator_api.runs.models import RetryIn, RetryPlanOut, RunAccepted
from orchestrator_api.runs.routes import accepted

router = APIRouter(prefix=f"{PREFIX}/jobs", tags=["jobs"], route_class=GatedRoute)


@router.get("/{job}/retry-plan", operation_id="plan_retry", responses=problems(404, 409))
async def plan_retry(
    call: Call,
    project: Project,
    job: UUID,
    tasks: Annotated[
        list[TaskId] | None,
        Query(max_length=1000, description="Plan these tasks instead of the preselected ones."),
    ] = None,
    version: Annotated[
        Literal["current", "original"],
        Query(description="Run the current version, or the versions of the original run."),
    ] = "current",
) -> RetryPlanOut:
    """Show what a retry of a finished job would run; preselects every active task that did not succeed."""
    async with call.session(STATUS, project) as session:
        plan = await retries.show(session, job, tasks, version)
    return RetryPlanOut.model_validate(plan)


@router.post(
    "/{job}/retries",
    operation_id="retry_job",
    status_code=202,
    responses=WRITE,
    openapi_extra=takes(Scope.RUN, max_bytes=LARGE),
)
async def retry_job(
    call: Call, project: Project, job: UUID, body: RetryIn, key: IdempotencyKey = None
) -> RunAccepted:
    """Carry out a plan exactly as it was fetched; rejected if anything it is based on has changed."""
    async with call.session(Scope.RUN, project) as session:
        given = body.model_dump()
        dedup_key = dedup_keys.accept(session, key, f"retry {job}", given)
        request = retries.RetryRequest(**given, dedup_key=dedup_key)
        return await accepted(session, await retries.start(session, job, request))
