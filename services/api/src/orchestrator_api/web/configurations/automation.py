"""Automate: from a configuration to an orchestration with a schedule, in one step."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, usages
from orchestrator_api.catalog.rows import Usage
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import automation
from orchestrator_api.orchestrations.automation import Automation
from orchestrator_api.orchestrations.automation_models import AutomationIn
from orchestrator_api.schedules.models import TimesIn
from orchestrator_api.schedules.rows import ScheduleSpec
from orchestrator_api.schedules.times import Preview, accept_times, preview
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import carried_out
from orchestrator_api.web.configurations.head import key_of, url_of
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import UserError

MOST_USES = 20
LATER = "later"
PLACES = {
    **form.PLACES,
    "schedule.timezone": "timezone",
    "schedule.cron": "cron",
    "schedule.every_seconds": "every",
    "schedule": "preset",
}


async def automate_configuration(request: Request) -> Response:
    """The dialog with the next fires of what is chosen, and what it sends."""
    begin = {**form.NEW, "cron": "", "notify": "true", "timezone": viewer_of(request).zone.key}
    filled = await carried_out(request, _automate, PLACES, begin=begin)
    if isinstance(filled, Response):
        return filled
    async with entering.showing(request, filled.values, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.current(session, key_of(request))
        used = await usages.listing(session, key_of(request), (None, None), MOST_USES)
        found, wrong = await session.offload.run(_preview, filled.values, session.now)
    return pages.dialog(
        request,
        "configurations/automate",
        filled.status,
        title=f"Automate {row.name}",
        frame=frame,
        back=url_of(request),
        row=row,
        others=_others(used),
        values=filled.values,
        errors=filled.errors,
        schedules=_choices(),
        weekdays=form.WEEKDAYS,
        preview=found,
        wrong=wrong,
    )


async def preview_automation(request: Request) -> Response:
    """What the schedule that the form says will do."""
    fields = Fields({name: text[:200] for name, text in request.query_params.items()})
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        found, wrong = await session.offload.run(_preview, fields, session.now)
    shown: dict[str, Any] = {"frame": frame, "values": fields, "preview": found, "wrong": wrong}
    return pages.page(request, "configurations/automate_preview", **shown)


async def _automate(request: Request, fields: Fields) -> Response:
    given = {"name": fields["name"].strip() or None, "schedule": times_of(fields)}
    body = forms.checked(AutomationIn, given)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        spec = None if body.schedule is None else ScheduleSpec(**body.schedule.model_dump())
        made = await automation.automate(session, key_of(request), Automation(None, body.name, spec))
        if fields["notify"] != "true":
            await notifications.replace(session, made, ())
        to = urls_of(request)("orchestration", project=session.project, orchestration=made)
        return answers.done(request, frame, fields, "", to=to)


def times_of(fields: Fields) -> dict[str, Any] | None:
    """The schedule that the form says; None if it is set later. Raises UserError at the field."""
    if fields["preset"] == LATER:
        return None
    cron = fields["cron"] if fields["preset"] == form.CUSTOM else ""
    return form.times_of(Fields(fields | {"cron": cron, "cron_before": "", "zone": form.OTHER}))


def _preview(fields: Fields, now: datetime) -> tuple[Preview | None, str]:
    """What the schedule will do, or why it is none yet."""
    try:
        times = times_of(fields)
        if times is None:
            return None, ""
        given = forms.checked(TimesIn, times)
        return preview(accept_times(given.cron, given.every_seconds, given.timezone), now), ""
    except UserError as error:
        return None, error.detail


def _choices() -> Sequence[tuple[str, str]]:
    """How often it starts."""
    named = {form.CUSTOM: "Custom schedule"}
    return [*((value, named.get(value, label)) for value, label in form.choices()), (LATER, "Set it later")]


def _others(used: Sequence[Usage]) -> Sequence[Usage]:
    """Each orchestration that runs it already, once."""
    return list({each.orchestration: each for each in used}.values())
