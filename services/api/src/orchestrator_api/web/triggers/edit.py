"""The dialog of a trigger: a new one, and one that is changed."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.session import Session
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.models import TriggerIn
from orchestrator_api.triggers.rows import TriggerSpec
from orchestrator_api.web import entering, forms, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.start_dialogs import Said, StartDialog, checked_place, free_name, orchestration_of
from orchestrator_api.web.triggers import form
from orchestrator_api.web.triggers.now import now_of
from orchestrator_api.web.triggers.picker import meaning, picker, seen
from orchestrator_api.web.triggers.words import became, needed
from orchestrator_api.web.viewer import viewer_of


async def new(request: Request) -> Response:
    """The empty form, and what it sends."""
    if request.method == "POST":
        return await _send(request, None)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        taken = [each.name for each in await triggers.listing(session, [orchestration_of(request)])]
        fields = Fields({**form.NEW, "name": free_name(taken)})
        return await _show(request, session, frame, fields, None, Said())


async def edit(request: Request) -> Response:
    """The form with what is saved, and what it sends."""
    name = request.path_params["trigger"]
    if request.method == "POST":
        return await _send(request, name)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        stored = await triggers.find(session, orchestration_of(request), name)
        fields = Fields(form.of_trigger(stored) | {"etag": stored.etag})
        return await _show(request, session, frame, fields, name, Said())


async def parts(request: Request) -> Response:
    """What follows from what is ticked and written, while someone does: the picker and the meaning."""
    fields = await entering.sent(request, is_large=True)
    viewer, orchestration = viewer_of(request), orchestration_of(request)
    async with entering.showing(request, fields, Scope.READ) as (session, frame):
        await configurations.current(session, orchestration_key(orchestration))
        preview, errors = await seen(session, fields, viewer)
        is_search = "picker" in request.query_params
        found = await picker(session, orchestration, fields, preview, viewer) if is_search else None
    return pages.page(
        request,
        "triggers/preview",
        frame=frame,
        values=fields,
        errors=errors,
        picker=found,
        meaning=meaning(preview, fields),
        ticked=form.tables_of(fields),
        needed=needed,
    )


async def _send(request: Request, name: str | None) -> Response:
    fields = await entering.sent(request, is_large=True)
    if fields["find"]:
        return await DIALOG.show_again(request, fields, name, Said())
    return await DIALOG.send(request, fields, name)


async def _save(request: Request, session: Session, name: str | None, fields: Fields) -> str:
    orchestration = orchestration_of(request)
    spec = TriggerSpec(**forms.checked(TriggerIn, form.body_of(fields)).model_dump())
    target = partial(triggers.target, session, orchestration)
    place, is_there = await checked_place(session, name, fields, target)
    if is_there:
        stored = await triggers.find(session, orchestration, place)
        spec = TriggerSpec(
            tables=spec.tables,
            cool_down_seconds=spec.cool_down_seconds,
            mode=spec.mode,
            enabled=stored.enabled,
            allow_self_trigger=stored.allow_self_trigger,
        )
    await triggers.save(session, orchestration, place, spec)
    return f"The trigger {place} is saved. Nothing was started; it counts from the next update."


async def _show(
    request: Request, session: Session, frame: Frame, fields: Fields, name: str | None, said: Said
) -> Response:
    orchestration, viewer = orchestration_of(request), viewer_of(request)
    row = await configurations.current(session, orchestration_key(orchestration))
    is_gone = said.is_overtaken and not fields["etag"]
    stored = await triggers.find(session, orchestration, name) if name and not is_gone else None
    preview, unread = await seen(session, fields, viewer)
    values: dict[str, Any] = {
        "errors": said.errors or (unread if stored else Fields()),
        "picker": await picker(session, orchestration, fields, preview, viewer),
        "meaning": meaning(preview, fields),
        "ticked": form.tables_of(fields),
        "now": await now_of(session, stored.id, viewer) if stored else None,
        "theirs": stored,
        "became": became,
        "needed": needed,
    }
    return DIALOG.answer(request, frame, fields, name, said, of=row.name, size="xl", **values)


DIALOG = StartDialog("trigger", form.PLACES, _save, _show)
