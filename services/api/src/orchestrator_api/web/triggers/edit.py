"""The dialog of a trigger: a new one, and one that is changed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import LastChange
from orchestrator_api.http.session import Session
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.models import TriggerIn
from orchestrator_api.triggers.rows import StoredTrigger, TriggerSpec
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.start_dialogs import Named, free_name, orchestration_of, refused, topics
from orchestrator_api.web.triggers import form
from orchestrator_api.web.triggers.now import now_of
from orchestrator_api.web.triggers.picker import meaning, picker, seen
from orchestrator_api.web.triggers.words import became, needed
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import UserError


async def new(request: Request) -> Response:
    """The empty form, and what it sends."""
    if request.method == "POST":
        return await _send(request, None)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        taken = [each.name for each in await triggers.listing(session, [orchestration_of(request)])]
        fields = Fields({**form.NEW, "name": free_name(taken)})
        return await _show(request, session, frame, fields, None)


async def edit(request: Request) -> Response:
    """The form with what is saved, and what it sends."""
    name = request.path_params["trigger"]
    if request.method == "POST":
        return await _send(request, name)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        stored = await triggers.find(session, orchestration_of(request), name)
        fields = Fields(form.of_trigger(stored) | {"etag": stored.etag})
        return await _show(request, session, frame, fields, name)


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
        async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _show(request, session, frame, fields, name)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            saved = await _save(session, orchestration_of(request), name, fields)
            text = f"The trigger {saved.name} is saved. Nothing was started; it counts from the next update."
            return answers.done(request, frame, fields, text, *topics(orchestration_of(request)))
    except UserError as error:
        shown, said = refused(error, fields, form.PLACES, kind="trigger", is_new=name is None)
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        return await _show(request, session, frame, shown, name, **said)


async def _save(session: Session, orchestration: str, name: str | None, fields: Fields) -> StoredTrigger:
    """Raises UserError with what is wrong, and PreconditionFailed if someone else was there first."""
    spec = TriggerSpec(**forms.checked(TriggerIn, form.body_of(fields)).model_dump())
    place = name or forms.checked(Named, {"name": fields["name"].strip()}).name
    target = await triggers.target(session, orchestration, place)
    await edits.check_save(session, Condition.seen(fields["etag"] or None), target)
    if target.etag is not None:
        stored = await triggers.find(session, orchestration, place)
        spec = TriggerSpec(
            tables=spec.tables,
            cool_down_seconds=spec.cool_down_seconds,
            mode=spec.mode,
            enabled=stored.enabled,
            allow_self_trigger=stored.allow_self_trigger,
        )
    await triggers.save(session, orchestration, place, spec)
    return await triggers.find(session, orchestration, place)


async def _show(
    request: Request,
    session: Session,
    frame: Frame,
    fields: Fields,
    name: str | None,
    *,
    errors: Fields | None = None,
    change: LastChange | None = None,
    is_overtaken: bool = False,
) -> Response:
    orchestration, viewer = orchestration_of(request), viewer_of(request)
    row = await configurations.current(session, orchestration_key(orchestration))
    is_gone = is_overtaken and not fields["etag"]
    stored = await triggers.find(session, orchestration, name) if name and not is_gone else None
    preview, unread = await seen(session, fields, viewer)
    values: dict[str, Any] = {
        "orchestration": orchestration,
        "trigger": name,
        "values": fields,
        "errors": errors or (unread if stored else Fields()),
        "picker": await picker(session, orchestration, fields, preview, viewer),
        "meaning": meaning(preview, fields),
        "ticked": form.tables_of(fields),
        "now": await now_of(session, stored.id, viewer) if stored else None,
        "change": change,
        "theirs": stored,
        "is_overtaken": is_overtaken,
        "became": became,
        "needed": needed,
    }
    status = 422 if errors else 409 if is_overtaken else 200
    back = urls_of(request)("orchestration", project=session.project, orchestration=orchestration)
    title = f"Trigger {name} of {row.name}" if name else f"New trigger for {row.name}"
    return pages.dialog(
        request, "triggers/edit", status, title=title, frame=frame, back=back, size="xl", **values
    )
