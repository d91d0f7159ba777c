"""Automate: from a configuration to an orchestration with a schedule, in one step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, usages
from orchestrator_api.catalog.rows import Usage
from orchestrator_api.http.refusals import FieldError, Invalid
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import automation
from orchestrator_api.orchestrations.automation import Automation
from orchestrator_api.orchestrations.automation_models import AutomationIn
from orchestrator_api.schedules.presets import presets
from orchestrator_api.schedules.rows import ScheduleSpec
from orchestrator_api.schedules.times import Preview, accept_times, preview
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.configurations.actions import ELSEWHERE
from orchestrator_api.web.configurations.head import key_of, url_of
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import UserError

MOST_USES = 20
CUSTOM, NONE = "custom", "none"
BEGUN = {"schedule": "daily", "at": "06:00", "minute": "0", "weekday": "1", "day": "1", "notify": "true"}
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
PLACES = {"schedule.timezone": "timezone", "schedule.cron": "cron", "schedule": "schedule"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form asks for: a cron expression, or none to set the schedule later."""

    cron: str | None
    timezone: str


async def automate_configuration(request: Request) -> Response:
    """The dialog with the next fires of what is chosen, and what it sends."""
    key, viewer = key_of(request), viewer_of(request)
    errors = Fields()
    if request.method == "POST":
        fields = await entering.sent(request)
        try:
            return await _automate(request, fields)
        except ELSEWHERE:
            raise
        except UserError as error:
            errors = forms.refused(error, PLACES)
    else:
        fields = Fields({**BEGUN, "timezone": viewer.zone.key})
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.load(session, key)
        used = await usages.listing(session, key, (None, None), MOST_USES)
        found, wrong = await session.offload.run(_preview, fields, session.now)
    return pages.dialog(
        request,
        "configurations/automate",
        422 if errors else 200,
        title=f"Automate {row.name}",
        frame=frame,
        back=url_of(request),
        action=url_of(request, "automate_configuration"),
        row=row,
        others=_others(used),
        values=fields,
        errors=errors,
        preview_url=url_of(request, "preview_automation"),
        schedules=SCHEDULES,
        weekdays=[(str(number), name) for number, name in enumerate(WEEKDAYS)],
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
    key, wish = key_of(request), wish_of(fields)
    schedule = None if wish.cron is None else {"cron": wish.cron, "timezone": wish.timezone}
    body = forms.checked(AutomationIn, {"name": fields["name"].strip() or None, "schedule": schedule})
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        spec = None if body.schedule is None else ScheduleSpec(**body.schedule.model_dump())
        made = await automation.automate(session, key, Automation(None, body.name, spec))
        if fields["notify"] != "true":
            await notifications.replace(session, made, ())
    to = urls_of(request)("orchestration", project=request.path_params["project"], orchestration=made)
    return answers.done(request, frame, fields, "", to=to)


def wish_of(fields: Fields) -> Wish:
    """The schedule that the form says; raises Invalid for a time that is none."""
    chosen = fields["schedule"]
    if chosen == NONE:
        return Wish(None, fields["timezone"])
    if chosen == CUSTOM:
        return Wish(fields["cron"], fields["timezone"])
    weekday, day = _within(fields["weekday"], 0, 6), _within(fields["day"], 1, 31)
    made = {each.id: each.cron for each in presets(at=_at(fields), weekday=weekday, day=day)}
    if chosen not in made:
        raise Invalid([FieldError("schedule", "choose one of the list")])
    return Wish(made[chosen], fields["timezone"])


def _at(fields: Fields) -> time:
    if "time" not in _asks(fields["schedule"]):
        return time(0, _within(fields["minute"], 0, 59))
    found = _TIME.fullmatch(fields["at"].strip())
    if found is None:
        raise Invalid([FieldError("at", "write a time such as 06:00")])
    return time(int(found[1]), int(found[2]))


def _within(text: str, least: int, most: int) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 3
    return min(max(int(text), least), most) if is_number else least


def _preview(fields: Fields, now: Any) -> tuple[Preview | None, str]:
    """What the schedule will do, or why it is none yet."""
    try:
        wish = wish_of(fields)
        if wish.cron is None:
            return None, ""
        return preview(accept_times(wish.cron, None, wish.timezone), now), ""
    except UserError as error:
        return None, error.detail


SCHEDULES: Sequence[tuple[str, str]] = (
    *((each.id, each.name) for each in presets(at=time(6), weekday=1, day=1)),
    (CUSTOM, "Custom schedule"),
    (NONE, "Set it later"),
)


def _asks(chosen: str) -> Sequence[str]:
    """What else is asked for it."""
    if chosen == CUSTOM:
        return ("cron",)
    return next((each.asks_for for each in presets(at=time(6), weekday=1, day=1) if each.id == chosen), ())


def _others(used: Sequence[Usage]) -> Sequence[Usage]:
    """Each orchestration that runs it already, once."""
    return list({each.orchestration: each for each in used}.values())
