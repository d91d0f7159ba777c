"""The projects of whoever looks; administrators see all of them, and make new ones."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.projects import service
from orchestrator_api.projects.models import ProjectIn
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import again
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.projects.limits import limit_of
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import UserError

SECTION = "all_projects"


async def projects(request: Request) -> Response:
    """The way in: the only project of a person opens at once."""
    async with entering.reading(request) as (_, frame):
        pass
    if len(frame.projects) == 1:
        return pages.go_to(urls_of(request)("orchestrations", project=frame.projects[0].id))
    return await all_projects(request)


async def all_projects(request: Request) -> Response:
    """The list; `after` is its page."""
    async with entering.reading(request, section=SECTION) as (session, frame):
        part = Part(viewer_of(request).page_size, request.query_params.get("after") or None)
        (after,) = part.place(str)
        found = await service.listing(session, after, part.rows)
    page: dict[str, Any] = part.of(found, "id")
    return pages.page(
        request,
        "projects/listing",
        title="Projects",
        frame=frame,
        rows=page["items"],
        next=page["next"],
        is_later=part.cursor is not None,
    )


async def new(request: Request) -> Response:
    """A new project, which opens once it is made."""
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (_, frame):
            return _form(request, frame)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
            name = fields["name"].strip() or None
            given = {"id": fields["id"].strip(), "name": name, "parallel_limit": limit_of(fields)}
            body = forms.checked(ProjectIn, given)
            made = await service.create(session, body.id, body.name or body.id, body.parallel_limit)
            to = urls_of(request)("orchestrations", project=made.id)
            return answers.done(request, frame, fields, "", to=to)
    except UserError as error:
        return _form(request, frame, **again(error, fields))


def _form(request: Request, frame: Frame, status: int = 200, **values: Any) -> Response:
    back = urls_of(request)("all_projects")
    return pages.dialog(
        request, "projects/new", status, title="New project", frame=frame, back=back, **values
    )
