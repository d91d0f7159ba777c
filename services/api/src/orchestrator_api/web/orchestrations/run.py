"""The dialog that runs an orchestration: which tasks, with what, who is told; and the run itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, task_names, versions
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http import bodies
from orchestrator_api.http.refusals import Forbidden, Overtaken, SavedSince
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.recipients import Recipients
from orchestrator_api.orchestrations import previews, views
from orchestrator_api.orchestrations.validation import FEW_TASKS, Phases
from orchestrator_api.orchestrations.views import Shown
from orchestrator_api.queue import lanes
from orchestrator_api.queue.lanes import Ahead
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.models import RunIn
from orchestrator_api.web import answers, entering, forms, once, pages
from orchestrator_api.web.address_parts import version_number
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations import run_words
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.runs.landing import number_of
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import Conflict, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

TASK = "task:"
"""Begins the name of the field of each task that is ticked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What there is to run."""

    each: Shown
    version: int
    """That of the tasks; an old one only if it was asked for."""
    phases: Phases
    types: Mapping[str, str]
    ahead: Ahead | None
    recipients: Recipients

    @property
    def active(self) -> list[str]:
        """The tasks that run unless something else is chosen."""
        return [task["id"] for phase in self.phases for task in phase["tasks"] if task["enabled"]]

    @property
    def ids(self) -> list[str]:
        return [task["id"] for phase in self.phases for task in phase["tasks"]]


async def run(request: Request) -> Response:
    """Shows what would run and who would be told; then runs exactly that."""
    if request.method == "POST":
        return await _send(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        choice = await _read(session, request)
    values = Fields(notify="true")
    return _dialog(request, frame, choice, choice.active, values)


async def _read(session: Session, request: Request) -> Choice:
    name = request.path_params["orchestration"]
    row = await configurations.load(session, orchestration_key(name))
    (each,) = await views.orchestrations(session, [row], with_tables=False)
    version = _asked_version(request, row)
    phases = each.phases
    if version != row.version:
        stored = await versions.stored(session, orchestration_key(name), version)
        phases = (await session.offload.run(configurations.masked, stored)).parameters.get("phases", [])
    components = {task["component"] for phase in phases for task in phase["tasks"]}
    return Choice(
        each,
        version,
        await task_names.named(session, phases),
        await previews.component_types(session, components),
        await lanes.ahead(session, orchestration_key(name)),
        await notifications.recipients(session, name, None),
    )


def _asked_version(request: Request, row: Configuration) -> int:
    text = request.query_params.get("version")
    return row.version if text is None else version_number(text)


async def _send(request: Request) -> Response:
    fields = await entering.sent(request, is_large=True)
    ticked = frozenset(name.removeprefix(TASK) for name in fields if name.startswith(TASK))
    choice = None
    try:
        async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
            session.actor.require_run(ORCHESTRATOR, request.path_params["orchestration"])
            choice = await _read(session, request)
            chosen = [task for task in choice.ids if task in ticked]
            _check_unchanged(fields, choice)
            job = await _start(session, request, choice, chosen, fields)
    except UserError as error:
        if choice is None or isinstance(error, Forbidden):
            raise
        return _refused(request, frame, choice, chosen, fields, error)
    return await _landed(request, frame, fields, choice.each, job)


def _check_unchanged(fields: Fields, choice: Choice) -> None:
    """The tasks that were shown are those that run."""
    each = choice.each
    if fields["version"] and fields["version"] != str(choice.version):
        saved = SavedSince(ORCHESTRATOR, each.id, each.version, each.author, each.updated_at, each.note)
        raise Overtaken("the tasks were changed since you opened this", field="version", saved=[saved])


async def _start(
    session: Session, request: Request, choice: Choice, chosen: Sequence[str], fields: Fields
) -> UUID:
    """As defined if all active tasks were chosen and nothing else is different."""
    name, version = choice.each.id, choice.version
    wanted = {
        "tasks": None if set(chosen) == set(choice.active) else list(chosen),
        "parameters": _parameters(fields["parameters"]),
        "scheduled_for": _scheduled_for(fields["scheduled_for"], request),
        "version": version if version != choice.each.version else None,
        "notify": fields["notify"] == "true",
        "confirm": fields["confirm"] == "true",
    }
    given = forms.checked(RunIn, wanted).model_dump()
    key = dedup_keys.accept(session, once.request_key(fields, given), f"run {name}", given)
    return await runs.start(session, orchestration_key(name), runs.RunRequest(**given, dedup_key=key))


def _parameters(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        found = bodies.parse(text.encode())
    except bodies.Refused as refusal:
        raise UserError(refusal.detail, field="parameters") from None
    if not isinstance(found, dict):
        raise UserError("must be an object with parameters by task id", field="parameters")
    return found


def _scheduled_for(text: str, request: Request) -> datetime | None:
    if not text.strip():
        return None
    try:
        return run_words.instant(text, viewer_of(request).zone)
    except ValueError:
        raise UserError("write a day and a time, such as 2026-11-30 06:20", field="scheduled_for") from None


async def _landed(request: Request, frame: Frame, fields: Fields, each: Shown, job: UUID) -> Response:
    """On the page of the run, once it has a number."""
    number = await number_of(request, fields, job)
    text = f"A run of {each.name} was requested."
    if number is None:
        return answers.done(request, frame, fields, text, f"orchestration:{each.id}")
    url = urls_of(request)(
        "run", project=request.path_params["project"], orchestration=each.id, number=number
    )
    return answers.done(request, frame, fields, text, f"orchestration:{each.id}", to=url)


def _refused(
    request: Request, frame: Frame, choice: Choice, chosen: Sequence[str], fields: Fields, error: UserError
) -> Response:
    """The same form with what stands in the way; nothing that was chosen or typed is lost."""
    if isinstance(error, Conflict):
        saved = error.saved if isinstance(error, Overtaken) else ()
        more: dict[str, Any] = {"saved": saved, "asks": error.field == "confirm"}
        return _dialog(request, frame, choice, chosen, fields, 409, problem=error.detail, **more)
    errors = forms.refused(error)
    return _dialog(request, frame, choice, chosen, fields, 422, errors=errors)


def _dialog(
    request: Request,
    frame: Frame,
    choice: Choice,
    ticked: Sequence[str],
    values: Fields,
    status: int = 200,
    **more: Any,
) -> Response:
    each, viewer = choice.each, viewer_of(request)
    will, will_not = run_words.told(choice.recipients, each.notifications)
    shown: dict[str, Any] = {
        "saved": (),
        "asks": False,
        **more,
        "each": each,
        "choice": choice,
        "ticked": frozenset(ticked),
        "active": frozenset(choice.active),
        "busy": run_words.busy(choice.ahead, viewer.now, viewer.zone),
        "will": will,
        "will_not": will_not,
        "used_up": run_words.used_up(each.triggers),
        "partial": run_words.PARTIAL if each.triggers else "",
        "key": uuid4().hex,
        "task_field": TASK,
        "is_old": choice.version != each.version,
        "values": values,
    }
    back = urls_of(request)("orchestration", project=request.path_params["project"], orchestration=each.id)
    about: dict[str, Any] = {"title": f"Run {each.name}", "back": back, "size": "wide"}
    is_large = len(choice.ids) > FEW_TASKS
    return pages.dialog(
        request, "orchestrations/run", status, frame=frame, is_large=is_large, **about, **shown
    )
