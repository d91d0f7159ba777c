"""Finds things by a few letters."""

from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.search import service
from orchestrator_api.search.models import SearchOut

router = APIRouter(prefix=PREFIX, tags=["projects"], route_class=GatedRoute)


@router.get("/search", operation_id="search", responses=READ)
async def search(
    call: Call,
    project: Project,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            description="Words of a name or id, an orchestration and the number of a run, or a job's id.",
            examples=["campaigns 42"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50, description="How many of each kind, at most.")] = 5,
) -> SearchOut:
    """Find orchestrations, runs, configurations and tables by words of their names, and jobs by id.

    Every word has to be in the name; what begins with the text comes first. It looks at 20,000 of each kind.
    """
    async with call.session(Scope.READ, project) as session:
        return SearchOut.model_validate(await service.search(session, q, limit))
