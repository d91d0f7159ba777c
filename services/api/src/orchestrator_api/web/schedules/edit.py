"""The dialog of a schedule: a new one, and one that is changed."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import LastChange
from orchestrator_api.http.session import Session
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.models import ScheduleIn
from orchestrator_api.schedules.rows import ScheduleSpec, StoredSchedule
from orchestrator_api.schedules.times import accept_times
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form
from orchestrator_api.web.schedules.preview import around, choices, previewed
from orchestrator_api.web.start_dialogs import Named, free_name, orchestration_of, refused, topics
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.cron import next_fires
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone


async def new(request: Request) -> Response:
    """The empty form, and what it sends."""
    if request.method == "POST":
        return await _send(request, None)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        taken = [each.name for each in await schedules.listing(session, [orchestration_of(request)])]
        fields = Fields({**form.NEW, "name": free_name(taken)})
        return await _show(request, session, frame, fields, None)


async def edit(request: Request) -> Response:
    """The form with what is saved, and what it sends."""
    name = request.path_params["schedule"]
    if request.method == "POST":
        return await _send(request, name)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        stored = await schedules.find(session, orchestration_of(request), name)
        fields = form.of_schedule(stored.spec, viewer_of(request).zone.key)
        return await _show(request, session, frame, Fields(fields | {"etag": stored.etag}), name)


async def _send(request: Request, name: str | None) -> Response:
    fields = await entering.sent(request)
    if fields["use"]:
        async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _show(request, session, frame, form.taken(fields, fields["use"]), name)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            saved = await _save(session, orchestration_of(request), name, fields)
            row = await around(session, orchestration_of(request))
            text = _saved(request, saved, row.name, session)
            return answers.done(request, frame, fields, text, *topics(orchestration_of(request)))
    except UserError as error:
        shown, said = refused(error, fields, form.PLACES, kind="schedule", is_new=name is None)
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        return await _show(request, session, frame, shown, name, **said)


async def _save(session: Session, orchestration: str, name: str | None, fields: Fields) -> StoredSchedule:
    """Raises UserError with what is wrong, and PreconditionFailed if someone else was there first."""
    spec = ScheduleSpec(**forms.checked(ScheduleIn, form.body_of(fields)).model_dump())
    place = name or forms.checked(Named, {"name": fields["name"].strip()}).name
    target = await schedules.target(session, orchestration, place)
    await edits.check_save(session, Condition.seen(fields["etag"] or None), target)
    if target.etag is not None:
        stored = await schedules.find(session, orchestration, place)
        spec = replace(spec, enabled=stored.enabled)
    await schedules.save(session, orchestration, place, spec)
    return await schedules.find(session, orchestration, place)


def _saved(request: Request, saved: StoredSchedule, orchestration: str, session: Session) -> str:
    if not saved.enabled:
        return f"The schedule {saved.name} is saved. It is paused."
    times = accept_times(saved.cron, saved.every_seconds, saved.timezone)
    first = next_fires(times.schedule, session.now, parse_zone(saved.timezone), 1)
    if not first or saved.cron is None:
        return f"The schedule {saved.name} is saved."
    at = viewer_of(request).at(first[0].at)
    return f"The schedule {saved.name} is saved. It starts {orchestration} next {at}."


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
    orchestration = orchestration_of(request)
    about = await around(session, orchestration)
    own = viewer_of(request).zone
    shown, unread = await previewed(session, fields, own, about.usual)
    is_there = name and is_overtaken and fields["etag"]
    theirs = await schedules.find(session, orchestration, name or "") if is_there else None
    status = 422 if errors else 409 if is_overtaken else 200
    back = urls_of(request)(
        "orchestration", project=request.path_params["project"], orchestration=orchestration
    )
    values: dict[str, Any] = {
        "orchestration": orchestration,
        "schedule": name,
        "about": about,
        "shown": shown,
        "errors": errors or (unread if name else Fields()),
        "values": fields,
        "change": change,
        "theirs": theirs,
        "is_overtaken": is_overtaken,
        "zones": [],
        **choices(own),
    }
    title = f"Schedule {name} of {about.name}" if name else f"New schedule for {about.name}"
    return pages.dialog(
        request, "schedules/edit", status, title=title, frame=frame, back=back, size="wide", **values
    )
