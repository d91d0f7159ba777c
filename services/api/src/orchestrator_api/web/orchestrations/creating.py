"""How a project gets orchestrations: a new one, definitions from a file, and the demo."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.definitions import demo
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.orchestrations import service
from orchestrator_api.orchestrations.models import OrchestrationIn
from orchestrator_api.orchestrations.new_ids import free_id, id_like
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError


async def new(request: Request) -> Response:
    """A name and a description; tasks come next."""
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (_, frame):
            return _form(request, frame)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            name = fields["name"].strip()
            wanted = {"name": name, "description": fields["description"].strip()}
            given = forms.checked(OrchestrationIn, wanted)
            orchestration = await free_id(session, id_like(name))
            spec = OrchestrationSpec(name, given.description, given.enabled, [])
            await service.save(session, orchestration, spec)
            url = urls_of(request)("tasks", project=session.project, orchestration=orchestration)
            return answers.done(request, frame, fields, f"{name} was created.", "orchestrations", to=url)
    except Forbidden:
        raise
    except UserError as error:
        return _form(request, frame, 422, values=fields, errors=forms.refused(error))


def _form(request: Request, frame: Frame, status: int = 200, **more: Any) -> Response:
    return pages.dialog(
        request,
        "orchestrations/new",
        status,
        title="New orchestration",
        frame=frame,
        back=_listed(request),
        **more,
    )


async def load_demo(request: Request) -> Response:
    """Loads the flights demo into an empty project, which may have to say where its tables go."""
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            return _demo_form(request, frame, await demo.has_warehouse(session))
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        has_warehouse = await demo.has_warehouse(session)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE) as (session, frame):
            await demo.load(session, fields[demo.WAREHOUSE].strip())
            url = urls_of(request)("orchestration", project=session.project, orchestration=demo.MAIN)
            return answers.done(
                request, frame, fields, "The flights demo is loaded.", "orchestrations", to=url
            )
    except Forbidden:
        raise
    except UserError as error:
        errors = forms.refused(error)
        return _demo_form(request, frame, has_warehouse, 422, values=fields, errors=errors)


def _demo_form(
    request: Request, frame: Frame, has_warehouse: bool, status: int = 200, **more: Any
) -> Response:
    shown = {"has_warehouse": has_warehouse, "values": Fields(), "errors": Fields(), **more}
    title = "Load the flights demo"
    return pages.dialog(
        request, "orchestrations/demo", status, title=title, frame=frame, back=_listed(request), **shown
    )


def _listed(request: Request) -> str:
    return urls_of(request)("orchestrations", project=request.path_params["project"])
