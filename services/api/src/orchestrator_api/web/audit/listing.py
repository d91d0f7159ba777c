"""The audit log of a project, and of the installation: who, what, when, and what was different before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import audit
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.web import entering, pages
from orchestrator_api.web.audit import words
from orchestrator_api.web.audit.filters import AuditFilters
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of

MOST_CHANGES = 12
"""Of a record in the list; all of one that is opened by its address."""


async def of_project(request: Request) -> Response:
    """Of the project."""
    return await _listing(request, Scope.ADMINISTER, "audit", request.path_params["project"])


async def of_instance(request: Request) -> Response:
    """What belongs to no project."""
    return await _listing(request, Scope.ADMIN, "instance_audit", None)


async def _listing(request: Request, scope: Scope, name: str, project: str | None) -> Response:
    filters = AuditFilters.read(request.query_params)
    if "" in request.query_params.values():  # of a form: the address says only what is chosen
        return pages.go_to(urls_of(request)(name, project=project, query=filters.query()))
    async with entering.reading(request, scope, section=name) as (session, frame):
        viewer = viewer_of(request)
        part = Part(viewer.page_size, filters.after or None)
        page = await _page(session, project, filters.wanted(viewer.zone), part)
    known = words.ACTIONS if project else words.INSTANCE_ACTIONS
    return pages.page(
        request,
        "audit/listing",
        title="Audit",
        frame=frame,
        page=name,
        filters=filters,
        rows=page["items"],
        next=page["next"],
        actions=known if filters.action in ("", *known) else {filters.action: filters.action, **known},
        words=words,
        open=request.query_params.get("open", ""),
        most_changes=MOST_CHANGES,
    )


async def _page(session: Session, project: str | None, wanted: Any, part: Part) -> dict[str, Any]:
    place = part.place(datetime, UUID)
    rows = await audit.read(session.connection, project, wanted, place, part.rows)
    return part.of(rows, "at", "id")
