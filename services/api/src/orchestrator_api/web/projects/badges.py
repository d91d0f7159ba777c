"""The counts beside sections, which change while a page is open."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.web import entering, pages
from orchestrator_shared.domain.errors import NotFound


async def badge(request: Request) -> Response:
    """The count beside one section."""
    section = request.path_params["section"]
    async with entering.reading(request, Scope.READ) as (_, frame):
        if section not in frame.badges:
            raise NotFound(f"section {section} has no count")
        return pages.page(request, "parts/badge", frame=frame, section=section)
