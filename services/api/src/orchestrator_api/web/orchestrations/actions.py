"""What can be done with an orchestration from every page that shows it: switch it, and run it as defined."""

from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.orchestrations import service
from orchestrator_api.runs import idempotency
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.models import RunIn
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = "orchestrations"
ENABLED = "is enabled. Schedules and triggers go on."
DISABLED = "is disabled. Schedules and triggers pause."


async def switch(request: Request) -> Response:
    """Enable or disable, at once; the toast takes it back."""
    fields = await entering.sent(request)
    name, enabled = request.path_params["orchestration"], fields["enabled"] == "true"
    async with entering.changing(request, fields, Scope.SWITCH, Scope.CONFIGURE, section=SECTION) as opened:
        session, frame = opened
        row = await configurations.load(session, orchestration_key(name))
        await service.switch(session, name, enabled)
    url = urls_of(request)("switch_orchestration", project=request.path_params["project"], orchestration=name)
    undo = Undo(url, {"enabled": "false" if enabled else "true"})
    text = f"{row.name} {ENABLED if enabled else DISABLED}"
    return answers.done(request, frame, fields, text, f"orchestration:{name}", undo=undo)


async def run(request: Request) -> Response:
    """Run it as it is defined; a disabled one asks first."""
    fields = await entering.sent(request)
    name, is_confirmed = request.path_params["orchestration"], fields["confirm"] == "true"
    async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
        session.actor.require_run(ORCHESTRATOR)
        row = await configurations.load(session, orchestration_key(name))
        given = RunIn(confirm=is_confirmed).model_dump()
        key = idempotency.accept(session, fields["key"] or None, f"run {name}", given)
        try:
            await runs.start(session, orchestration_key(name), runs.RunRequest(**given, dedup_key=key))
        except Conflict as error:
            if error.field != "confirm":
                raise
            return _ask(request, frame, row.name, fields)
    text = f"A run of {row.name} was requested."
    return answers.done(request, frame, fields, text, f"orchestration:{name}")


def _ask(request: Request, frame: Frame, name: str, fields: Fields) -> Response:
    """Whether to run a disabled orchestration: a dialog, or a page without scripts."""
    back = answers.back(request, fields)
    shown: dict[str, Any] = {"thing": name, "key": uuid4().hex, **request.path_params}
    template = "orchestrations/confirm_run"
    return pages.dialog(request, template, title=f"Run {name}?", frame=frame, back=back, **shown)
