"""Runs the past fires of a schedule: shown one by one before they are requested."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.http.session import Session
from orchestrator_api.schedules import backfills
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.backfills import Backfilled, BackfillRequest
from orchestrator_api.schedules.models import BackfillIn
from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_api.web import answers, entering, forms, once, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations import run_words
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_api.web.words import counted
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR


async def backfill(request: Request) -> Response:
    """First the fires that would be run, then just these."""
    row: Configuration | None = None
    name = request.path_params["orchestration"]
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            row, listed = await _read(session, name)
        return _form(request, frame, row, listed)
    fields = await entering.sent(request)
    is_plan = fields["planned"] != _period(fields)
    scope = Scope.READ if is_plan else Scope.RUN
    try:
        async with entering.changing(request, fields, scope, section=SECTION) as (session, frame):
            row, listed = await _read(session, name)
            plan = await _carry_out(session, request, row, fields, is_plan=is_plan)
            if is_plan:
                return _form(request, frame, row, listed, values=fields, plan=plan)
            new = sum(fire.is_new for fire in plan.fires)
            were = "was" if new == 1 else "were"
            text = f"{counted(new, 'run')} of {row.name} {were} requested, oldest first."
            return answers.done(request, frame, fields, text, f"orchestration:{name}")
    except UserError as error:
        if row is None or isinstance(error, Forbidden):
            raise
        errors = forms.refused(error, {"to": "to", "schedule_id": "schedule"})
        return _form(request, frame, row, listed, 422, values=fields, errors=errors)


def _period(fields: Fields) -> str:
    """What a plan is about; another one needs another plan."""
    return "|".join(fields[name].strip() for name in ("schedule", "from", "to"))


async def _read(session: Session, name: str) -> tuple[Configuration, list[StoredSchedule]]:
    row = await configurations.load(session, orchestration_key(name))
    return row, await schedules.listing(session, [name])


async def _carry_out(
    session: Session, request: Request, row: Configuration, fields: Fields, *, is_plan: bool
) -> Backfilled:
    if not is_plan:
        session.actor.require_run(ORCHESTRATOR, row.id)
    wanted = {
        "orchestration": row.id,
        "schedule": fields["schedule"],
        "from": _instant(request, fields, "from"),
        "to": _instant(request, fields, "to"),
        "dry_run": is_plan,
        "confirm": fields["confirm"] == "true",
    }
    given = forms.checked(BackfillIn, wanted).model_dump(exclude_none=True)
    key = None if is_plan else dedup_keys.accept(session, once.request_key(fields, given), "backfill", given)
    return await backfills.backfill(session, BackfillRequest(**given, dedup_key=key))


def _instant(request: Request, fields: Fields, name: str) -> datetime:
    try:
        return run_words.instant(fields[name], viewer_of(request).zone)
    except ValueError:
        raise UserError("write a day and a time, such as 2026-11-30 06:20", field=name) from None


def _form(
    request: Request,
    frame: Frame,
    row: Configuration,
    listed: list[StoredSchedule],
    status: int = 200,
    **more: Any,
) -> Response:
    values = more.get("values", Fields())
    own = {part: request.path_params[part] for part in ("project", "orchestration")}
    shown: dict[str, Any] = {
        "plan": None,
        "values": values,
        **more,
        "row": row,
        "schedules": listed,
        "period": _period(values),
        "key": uuid4().hex,
        "title": f"Backfill {row.name}",
        "back": urls_of(request)("orchestration", **own),
    }
    return pages.dialog(request, "orchestrations/backfill", status, frame=frame, **shown)
