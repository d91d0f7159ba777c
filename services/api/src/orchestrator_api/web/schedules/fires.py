"""What became of each fire of a schedule."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.paging import Part
from orchestrator_api.schedules import service as schedules
from orchestrator_api.web import entering, pages
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.schedules.words import around_run
from orchestrator_api.web.statuses import STATUSES
from orchestrator_shared.domain.zones import parse_zone

PAGE_SIZE = 50


async def fires(request: Request) -> Response:
    """Newest first."""
    orchestration, name = request.path_params["orchestration"], request.path_params["schedule"]
    part = Part(PAGE_SIZE, request.query_params.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(orchestration))
        stored = await schedules.find(session, orchestration, name)
        found = await schedules.fires(session, stored.id, part.place(datetime, str), part.rows)
    page: dict[str, Any] = part.of(found, "scheduled_for", "fire_key")
    return pages.page(
        request,
        "schedules/fires",
        title=f"Fires of {name}",
        frame=frame,
        each=row,
        schedule=stored,
        zone=parse_zone(stored.timezone),
        fires=page["items"],
        next=page["next"],
        is_first_page="after" not in request.query_params,
        around_run=around_run,
        is_run=lambda fire: fire.number is not None and fire.status in STATUSES,
    )
