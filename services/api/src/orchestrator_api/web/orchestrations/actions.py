"""What can be done with an orchestration, at once, from every page that shows it: switch it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.orchestrations import service
from orchestrator_api.web import answers, entering
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.urls import urls_of

SECTION = "orchestrations"
ENABLED = "is enabled. Schedules and triggers resume."
DISABLED = "is disabled. Schedules and triggers pause."


async def switch(request: Request) -> Response:
    """Enable or disable, at once; the toast takes it back."""
    fields = await entering.sent(request)
    name, enabled = request.path_params["orchestration"], fields["enabled"] == "true"
    async with entering.changing(request, fields, Scope.SWITCH, Scope.CONFIGURE, section=SECTION) as opened:
        session, frame = opened
        row = await configurations.current(session, orchestration_key(name))
        await service.switch(session, name, enabled)
    url = urls_of(request)("switch_orchestration", project=request.path_params["project"], orchestration=name)
    undo = Undo(url, {"enabled": "false" if enabled else "true"})
    text = f"{row.name} {ENABLED if enabled else DISABLED}"
    return answers.done(request, frame, fields, text, f"orchestration:{name}", undo=undo)
