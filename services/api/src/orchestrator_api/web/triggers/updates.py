"""What became of each update for a trigger."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.paging import Part
from orchestrator_api.triggers import service as triggers
from orchestrator_api.web import entering, pages
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.triggers.words import became

PAGE_SIZE = 50


async def updates(request: Request) -> Response:
    """Newest first."""
    orchestration, name = request.path_params["orchestration"], request.path_params["trigger"]
    part = Part(PAGE_SIZE, request.query_params.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(orchestration))
        stored = await triggers.find(session, orchestration, name)
        found = await triggers.dispositions(
            session, stored.id, part.place(datetime, str, str, int), part.rows
        )
    page: dict[str, Any] = part.of(found, "at", "project", "table_name", "seq")
    return pages.page(
        request,
        "triggers/updates",
        title=f"Updates of {name}",
        frame=frame,
        each=row,
        trigger=stored,
        updates=page["items"],
        next=page["next"],
        is_first_page="after" not in request.query_params,
        became=became,
    )
