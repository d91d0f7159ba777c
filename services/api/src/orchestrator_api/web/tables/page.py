"""A table with its rhythm and what listens to it, and a bucket with its tables and who it is shared with."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.tables import service
from orchestrator_api.triggers import rhythms
from orchestrator_api.web import entering, pages
from orchestrator_api.web.tables.listing import PAGE_SIZE, SECTION
from orchestrator_api.web.viewer import viewer_of

SHOWN_UPDATES = 10


async def table(request: Request) -> Response:
    """A table; `owner` is the project it belongs to, if not this one."""
    name, owner = request.path_params["table"], request.query_params.get("owner") or None
    zone = viewer_of(request).zone
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        (found,) = await service.with_rhythms(session, [await service.find(session, name, owner)], zone)
        listeners = await service.listeners(session, name, owner)
        key = (found.project, name)
        heard = (await rhythms.recorded(session, [key], SHOWN_UPDATES)).get(key, ())
    return pages.page(
        request,
        "tables/table",
        title=name,
        frame=frame,
        table=found,
        bucket=name.rpartition(".")[0],
        is_own=found.project == session.project,
        listeners=listeners,
        heard=list(reversed(heard)),
    )


async def bucket(request: Request) -> Response:
    """A bucket; of one's own, with the projects that it is shared with."""
    name, owner = request.path_params["bucket"], request.query_params.get("owner") or None
    part = Part(PAGE_SIZE, request.query_params.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        is_own = owner in (None, session.project)
        found = await service.of_bucket(session, name, owner, part.place(str)[0], part.rows)
        page = part.of(found, "name")
        shares = await service.shares(session, name) if is_own else []
    return pages.page(
        request,
        "tables/bucket",
        title=name,
        frame=frame,
        bucket=name,
        owner=owner or (frame.project and frame.project.id),
        is_own=is_own,
        tables=page["items"],
        next=page["next"],
        shares=shares,
        may_share=frame.actor.may(Scope.ADMINISTER),
    )
