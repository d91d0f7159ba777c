"""What can be done with a trigger besides writing it: switch it, drop what it counted, and remove it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.triggers import service as triggers
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.start_dialogs import topics
from orchestrator_api.web.triggers.words import both_or_all
from orchestrator_api.web.urls import urls_of


async def switch(request: Request) -> Response:
    """Enable or disable, at once; the toast takes it back."""
    fields = await entering.sent(request)
    orchestration, name = request.path_params["orchestration"], request.path_params["trigger"]
    enabled = fields["enabled"] == "true"
    async with entering.changing(request, fields, Scope.SWITCH, Scope.CONFIGURE, section=SECTION) as opened:
        session, frame = opened
        await triggers.target(session, orchestration, name, switching=True)
        await triggers.switch(session, orchestration, name, enabled)
    undo = Undo(
        urls_of(request)("switch_trigger", **request.path_params), {"enabled": str(not enabled).lower()}
    )
    text = (
        f"The trigger {name} is enabled."
        if enabled
        else f"The trigger {name} is paused: updates do not count."
    )
    return answers.done(request, frame, fields, text, *topics(orchestration), undo=undo)


async def reset(request: Request) -> Response:
    """Asks first: what was counted cannot be brought back."""
    return await _asked(request, "reset")


async def remove(request: Request) -> Response:
    """Asks first: what was counted is lost with it."""
    return await _asked(request, "remove")


async def _asked(request: Request, verb: str) -> Response:
    orchestration, name = request.path_params["orchestration"], request.path_params["trigger"]
    if request.method == "GET":
        return await _ask(request, verb)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        target = await triggers.target(session, orchestration, name)
        stored = await triggers.find(session, orchestration, name)
        if verb == "reset":
            await triggers.reset(session, stored.id)
        else:
            await edits.check(session, Condition.seen(fields["etag"] or None), target)
            await triggers.delete(session, orchestration, name)
        done = {
            "reset": f"Dropped: {name} needs new updates of {both_or_all(len(stored.tables))}.",
            "remove": f"The trigger {name} is removed. What became of each update is kept.",
        }
        return answers.done(
            request, frame, fields, done[verb], *topics(orchestration), f"trigger:{stored.id}"
        )


async def _ask(request: Request, verb: str) -> Response:
    orchestration, name = request.path_params["orchestration"], request.path_params["trigger"]
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(orchestration))
        stored = await triggers.find(session, orchestration, name)
    back = urls_of(request)("orchestration", project=session.project, orchestration=orchestration)
    verbs = {"reset": "Drop what was counted for", "remove": "Remove the trigger"}
    return pages.dialog(
        request,
        f"triggers/{verb}",
        title=f"{verbs[verb]} {name} of {row.name}?",
        frame=frame,
        back=back,
        trigger=stored,
        tables=both_or_all(len(stored.tables)),
        why_not="" if frame.may_configure else "You may look, but not change.",
    )
