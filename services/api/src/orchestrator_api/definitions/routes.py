"""Everything in a project as documents."""

import json
from collections.abc import Mapping

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.definitions import service as definitions
from orchestrator_api.definitions import snapshot
from orchestrator_api.definitions.documents import write_documents
from orchestrator_api.definitions.models import AppliedOut, DefinitionsIn, DefinitionsOut
from orchestrator_api.definitions.planning import Fields, Item
from orchestrator_api.definitions.service import Applied
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.parts import PREFIX, READ, WRITE, Call, Project

router = APIRouter(prefix=f"{PREFIX}/definitions", tags=["definitions"], route_class=GatedRoute)


class _OnlyPlanned(Exception):
    def __init__(self, applied: Applied) -> None:
        self.applied = applied


@router.get("", operation_id="export_definitions", responses=READ, response_model=DefinitionsOut)
async def export_definitions(call: Call, project: Project) -> Response:
    """The project's variables, configurations and orchestrations as documents."""
    async with call.session(Scope.READ, project) as session:
        current = await snapshot.read(session)
        content = await session.offload.run(_exported, current)
    return Response(content, media_type="application/json")


def _exported(current: Mapping[Item, Fields]) -> bytes:
    """Document by document: to encode them all in one call would hold the interpreter as long as it takes."""
    texts = (json.dumps(each, ensure_ascii=False) for each in write_documents(current))
    return ('{"documents":[' + ",".join(texts) + "]}").encode()


@router.post(
    "/plan",
    operation_id="plan_definitions",
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE, most=LARGE),
)
async def plan_definitions(call: Call, project: Project, body: DefinitionsIn) -> AppliedOut:
    """What applying the documents would change, with every check that applying makes."""
    try:
        async with call.session(Scope.CONFIGURE, project) as session:
            raise _OnlyPlanned(await definitions.apply(session, body.documents, prune=body.prune))
    except _OnlyPlanned as planned:
        return AppliedOut.model_validate(planned.applied)


@router.post(
    "/apply",
    operation_id="apply_definitions",
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE, most=LARGE),
)
async def apply_definitions(call: Call, project: Project, body: DefinitionsIn) -> AppliedOut:
    """Make the project what the documents say, in one transaction; applying twice changes nothing."""
    async with call.session(Scope.CONFIGURE, project) as session:
        applied = await definitions.apply(session, body.documents, prune=body.prune)
    return AppliedOut.model_validate(applied)
