"""The pages outside any project: the way in."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.web import entering, pages
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound


async def home(request: Request) -> Response:
    """To the projects."""
    return pages.go_to(urls_of(request)("projects"))


async def project(request: Request) -> Response:
    """A project opens with its orchestrations."""
    return pages.go_to(urls_of(request)("orchestrations", project=request.path_params["project"]))


async def nowhere(request: Request) -> Response:
    """An address below the projects at which there is no page."""
    async with entering.reading(request, Scope.READ):
        raise NotFound(f"there is no page at {request.url.path}")
