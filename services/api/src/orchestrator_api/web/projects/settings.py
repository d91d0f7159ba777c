"""The settings of a project: how it is called, and how many of its jobs may run at once."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.projects import service
from orchestrator_api.projects.models import ProjectPatch
from orchestrator_api.projects.rows import StoredProject
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import again
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.projects.limits import limit_of
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError

SECTION = "project_settings"


async def settings(request: Request) -> Response:
    """The page, and its form."""
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            return _page(request, frame, await service.load(session))
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as opened:
            session, frame = opened
            project = await service.load(session)
            given = {"name": fields["name"].strip(), "parallel_limit": limit_of(fields)}
            body = forms.checked(ProjectPatch, given)
            await edits.check(session, Condition.seen(fields["etag"]), await service.target(session))
            await service.change(session, body.model_dump(exclude_unset=True))
            here = urls_of(request)(SECTION, project=project.id, query={"done": "saved"})
            return answers.done(request, frame, fields, "", to=here)
    except UserError as error:
        return _page(request, frame, project, **again(error, fields))


def _page(
    request: Request, frame: Frame, project: StoredProject, status: int = 200, **values: Any
) -> Response:
    return pages.page(
        request,
        "projects/settings",
        status,
        title="Settings",
        frame=frame,
        each=project,
        is_saved=request.query_params.get("done") == "saved",
        **values,
    )
