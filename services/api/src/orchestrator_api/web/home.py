"""The pages outside any project: the way in, the projects, and one's own account."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.web import entering, pages, viewer
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound, UserError
from orchestrator_shared.domain.zones import parse_zone


async def home(request: Request) -> Response:
    """To the projects."""
    return pages.go_to(urls_of(request)("projects"))


async def projects(request: Request) -> Response:
    """The projects of the person; the only one opens at once."""
    urls = urls_of(request)
    async with entering.reading(request) as (_, frame):
        pass
    if len(frame.projects) == 1:
        return pages.go_to(urls("orchestrations", project=frame.projects[0].id))
    return pages.page(request, "projects", title="Projects", frame=frame)


async def project(request: Request) -> Response:
    """A project opens with its orchestrations."""
    return pages.go_to(urls_of(request)("orchestrations", project=request.path_params["project"]))


async def account(request: Request) -> Response:
    """Who is signed in, and how they want to see the pages."""
    if request.method != "POST":
        async with entering.reading(request) as (_, frame):
            return pages.page(request, "account", title="Account", frame=frame)
    fields = await entering.sent(request)
    async with entering.changing(request, fields) as (_, frame):
        pass
    try:
        zone = parse_zone(fields["zone"], field="zone") if fields["zone"] else None
    except UserError as error:
        wrong = Fields(zone=error.detail)
        return pages.page(request, "account", 422, title="Account", frame=frame, errors=wrong, values=fields)
    response = pages.go_to(urls_of(request)("account"))
    viewer.keep_theme(response, fields["theme"])
    if zone is not None:
        viewer.keep_zone(response, zone)
    return response


async def nowhere(request: Request) -> Response:
    """An address below the projects at which there is no page."""
    async with entering.reading(request, Scope.READ):
        raise NotFound(f"there is no page at {request.url.path}")
