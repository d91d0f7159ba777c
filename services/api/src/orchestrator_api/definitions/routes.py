"""A whole project as documents."""

import json
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from orchestrator_api.access.permissions import Scope
from orchestrator_api.definitions import demo, snapshot
from orchestrator_api.definitions import service as definitions
from orchestrator_api.definitions.documents import write_documents
from orchestrator_api.definitions.models import AppliedOut, ApplyIn, DefinitionsIn, DefinitionsOut
from orchestrator_api.definitions.planning import Fields, Item
from orchestrator_api.definitions.service import Applied
from orchestrator_api.http.conditional import ANY
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, Project, problems
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import UserError

router = APIRouter(prefix=f"{PREFIX}/definitions", tags=["definitions"], route_class=GatedRoute)

ORDER = ("variables", "bucket", "configuration", "orchestration")
MAX_EXPORTED = 256 * 1024 * 1024
TOO_MUCH = (
    f"the definitions exceed {MAX_EXPORTED // 1024**2} MiB, too much for one response: "
    "read the configurations page by page (GET …/configurations)"
)
Place = tuple[int, str]
"""Where a document belongs in the export."""


class _PlanOnly(Exception):
    def __init__(self, applied: Applied) -> None:
        self.applied = applied


@router.get("", operation_id="export_definitions", responses=READ, response_model=DefinitionsOut)
async def export_definitions(call: Call, project: Project) -> Response:
    """Export the project's variables, shared buckets, configurations and orchestrations as documents."""
    async with call.session(Scope.READ, project) as session:
        current = await snapshot.read_without_configurations(session)
        texts = await session.offload.run(_written, session, current.items)
        size = sum(len(text) for _, text in texts)
        async for part in snapshot.configuration_parts(session):
            more = await session.offload.run(_written, session, part)
            size += sum(len(text) for _, text in more)
            if size > MAX_EXPORTED:
                raise UserError(TOO_MUCH)
            texts += more
    return StreamingResponse(_as_one(texts), media_type="application/json")


@router.get("/demo", operation_id="get_demo_definitions", responses=READ)
async def get_demo_definitions(call: Call, project: Project) -> DefinitionsOut:
    """Get the flights demo as documents: apply them to an empty project.

    Its tables go to the PostgreSQL database whose URL is the project variable `warehouse`.
    """
    async with call.session(Scope.READ, project):
        return DefinitionsOut(documents=list(demo.documents()))


def _written(session: Session, current: Mapping[Item, Fields]) -> list[tuple[Place, bytes]]:
    """Encode one document at a time: a single call for all would block the interpreter for too long."""
    read = partial(session.encryption.read_references, project=session.project)
    return [
        (_place(each), json.dumps(each, ensure_ascii=False).encode())
        for each in write_documents(current, read)
    ]


def _place(document: Mapping[str, Any]) -> Place:
    kind = next(kind for kind in ORDER if kind in document)
    return ORDER.index(kind), document[kind] if kind != "variables" else ""


async def _as_one(texts: list[tuple[Place, bytes]]) -> AsyncIterator[bytes]:
    """Join piece by piece: otherwise the export would be in memory twice."""
    separator = b'{"documents":['
    for _, text in sorted(texts):
        yield separator
        yield text
        separator = b","
    yield b"]}" if texts else separator + b"]}"


@router.post(
    "/plan",
    operation_id="plan_definitions",
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def plan_definitions(call: Call, project: Project, body: DefinitionsIn) -> AppliedOut:
    """Show what applying the documents would change, with all the checks of an apply."""
    try:
        async with call.session(Scope.CONFIGURE, project) as session:
            raise _PlanOnly(
                await definitions.apply(session, body.documents, prune=body.pruned, seen_plan=ANY)
            )
    except _PlanOnly as planned:
        return AppliedOut.model_validate(planned.applied)


@router.post(
    "/apply",
    operation_id="apply_definitions",
    responses={**WRITE, **problems(412, 428)},
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def apply_definitions(call: Call, project: Project, body: ApplyIn) -> AppliedOut:
    """Make the project match the documents, in one transaction. Applying again changes nothing."""
    async with call.session(Scope.CONFIGURE, project) as session:
        applied = await definitions.apply(session, body.documents, prune=body.pruned, seen_plan=body.plan_id)
    return AppliedOut.model_validate(applied)
