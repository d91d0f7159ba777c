"""The dialog of a schedule: a new one, and one that is changed."""

from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.session import Session
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.models import ScheduleIn
from orchestrator_api.schedules.rows import ScheduleSpec, StoredSchedule
from orchestrator_api.schedules.times import accept_times
from orchestrator_api.web import entering, forms
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form
from orchestrator_api.web.schedules.preview import around, choices, previewed
from orchestrator_api.web.start_dialogs import Said, StartDialog, checked_place, free_name, orchestration_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.cron import next_fires
from orchestrator_shared.domain.zones import parse_zone


async def new(request: Request) -> Response:
    """The empty form, and what it sends."""
    if request.method == "POST":
        return await _send(request, None)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        taken = [each.name for each in await schedules.listing(session, [orchestration_of(request)])]
        fields = Fields({**form.NEW, "name": free_name(taken)})
        return await _show(request, session, frame, fields, None, Said())


async def edit(request: Request) -> Response:
    """The form with what is saved, and what it sends."""
    name = request.path_params["schedule"]
    if request.method == "POST":
        return await _send(request, name)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        stored = await schedules.find(session, orchestration_of(request), name)
        fields = form.of_schedule(stored.spec, viewer_of(request).zone.key)
        return await _show(request, session, frame, Fields(fields | {"etag": stored.etag}), name, Said())


async def _send(request: Request, name: str | None) -> Response:
    fields = await entering.sent(request)
    if fields["use"]:
        return await DIALOG.show_again(request, form.taken(fields, fields["use"]), name, Said())
    return await DIALOG.send(request, fields, name)


async def _save(request: Request, session: Session, name: str | None, fields: Fields) -> str:
    orchestration = orchestration_of(request)
    spec = ScheduleSpec(**forms.checked(ScheduleIn, form.body_of(fields)).model_dump())
    target = partial(schedules.target, session, orchestration)
    place, is_there = await checked_place(session, name, fields, target)
    if is_there:
        stored = await schedules.find(session, orchestration, place)
        spec = replace(spec, enabled=stored.enabled)
    await schedules.save(session, orchestration, place, spec)
    saved = await schedules.find(session, orchestration, place)
    return _saved(request, saved, (await around(session, orchestration)).name, session)


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
    request: Request, session: Session, frame: Frame, fields: Fields, name: str | None, said: Said
) -> Response:
    orchestration = orchestration_of(request)
    about = await around(session, orchestration)
    own = viewer_of(request).zone
    shown, unread = await previewed(session, fields, own, about.usual)
    is_there = name and said.is_overtaken and fields["etag"]
    values: dict[str, Any] = {
        "about": about,
        "shown": shown,
        "errors": said.errors or (unread if name else Fields()),
        "theirs": await schedules.find(session, orchestration, name or "") if is_there else None,
        "zones": [],
        **choices(own),
    }
    return DIALOG.answer(request, frame, fields, name, said, of=about.name, size="wide", **values)


DIALOG = StartDialog("schedule", form.PLACES, _save, _show)
