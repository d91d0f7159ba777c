"""What can be done with a schedule besides writing it: switch it, and remove it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.schedules import service as schedules
from orchestrator_api.web import answers, entering
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.start_dialogs import topics
from orchestrator_api.web.urls import urls_of


async def switch(request: Request) -> Response:
    """Enable or disable, at once; the toast takes it back."""
    fields = await entering.sent(request)
    orchestration, name = request.path_params["orchestration"], request.path_params["schedule"]
    enabled = fields["enabled"] == "true"
    async with entering.changing(request, fields, Scope.SWITCH, Scope.CONFIGURE, section=SECTION) as opened:
        session, frame = opened
        await schedules.target(session, orchestration, name, switching=True)
        await schedules.switch(session, orchestration, name, enabled)
    undo = Undo(
        urls_of(request)("switch_schedule", **request.path_params), {"enabled": str(not enabled).lower()}
    )
    text = f"The schedule {name} is {'enabled' if enabled else 'paused'}."
    return answers.done(request, frame, fields, text, *topics(orchestration), undo=undo)


async def remove(request: Request) -> Response:
    """At once; the toast brings it back, with what became of its fires."""
    fields = await entering.sent(request)
    orchestration, name = request.path_params["orchestration"], request.path_params["schedule"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        target = await schedules.target(session, orchestration, name)
        await edits.check(session, Condition.seen(fields["etag"] or None), target)
        await schedules.delete(session, orchestration, name)
    undo = Undo(urls_of(request)("restore_schedule", **request.path_params), {})
    text = f"The schedule {name} is removed. What became of its fires is kept."
    return answers.done(request, frame, fields, text, *topics(orchestration), undo=undo)


async def restore(request: Request) -> Response:
    """Take the removal back."""
    fields = await entering.sent(request)
    orchestration, name = request.path_params["orchestration"], request.path_params["schedule"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        await schedules.restore(session, orchestration, name)
    return answers.done(request, frame, fields, f"The schedule {name} is back.", *topics(orchestration))
