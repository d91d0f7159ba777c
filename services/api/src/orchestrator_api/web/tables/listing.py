"""The tables and the buckets of a project, and those that others share with it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.tables import service
from orchestrator_api.web import entering, pages
from orchestrator_api.web.viewer import viewer_of

SECTION = "tables"
PAGE_SIZE = 50
MOST_CHARACTERS = 200
VIEWS = {"": "Tables", "buckets": "Buckets"}


async def tables(request: Request) -> Response:
    """One page; `view=buckets` shows buckets, `q` what contains a text."""
    query = request.query_params
    view = query["view"] if query.get("view") in VIEWS else ""
    search = query.get("q", "").strip()[:MOST_CHARACTERS]
    part = Part(PAGE_SIZE, query.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        read = _buckets if view else _tables
        found = await read(session, request, part, search or None)
    return pages.page(
        request,
        "tables/list",
        title="Tables and buckets",
        frame=frame,
        items=found["items"],
        next=found["next"],
        view=view,
        views=VIEWS,
        q=search,
        is_first_page=not query.get("after"),
    )


async def _tables(session: Session, request: Request, part: Part, search: str | None) -> dict[str, Any]:
    found = await service.listing(session, part.place(str, str), search, part.rows)
    page = part.of(found, "project", "name")
    page["items"] = await service.with_rhythms(session, page["items"], viewer_of(request).zone)
    return page


async def _buckets(session: Session, _request: Request, part: Part, search: str | None) -> dict[str, Any]:
    after = part.place(str, str)
    found = await service.buckets(session, after, search=search, shared=None, limit=part.rows)
    return part.of(found, "project", "bucket")
