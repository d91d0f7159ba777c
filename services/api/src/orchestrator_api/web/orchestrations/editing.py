"""Changes of an orchestration besides its tasks: what it is called, a copy of it, the trash, its token."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.copies import name_of_copy
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import Forbidden, PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import copies, service, trash
from orchestrator_api.orchestrations.models import OrchestrationIn
from orchestrator_api.orchestrations.new_ids import free_id, id_like
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.sealed_values import sealed_values

PARTS = (copies.SCHEDULES, copies.TRIGGERS, copies.NOTIFICATIONS)


async def edit(request: Request) -> Response:
    """Name, description and labels."""
    row: Configuration | None = None
    key = orchestration_key(request.path_params["orchestration"])
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            row = await configurations.load(session, key)
        return _edit_form(request, frame, row, _values(row))
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            row = await configurations.load(session, key)
            target = await configurations.target(session, key)
            await edits.check_save(session, Condition.seen(fields["etag"]), target)
            await _rename(session, row, fields)
            return answers.done(request, frame, fields, "Saved.", f"orchestration:{key.id}")
    except UserError as error:
        if row is None or isinstance(error, Forbidden):
            raise
        if isinstance(error, PreconditionFailed):
            return _edit_form(request, frame, row, fields, 409, overtaken=error)
        return _edit_form(request, frame, row, fields, 422, errors=forms.refused(error))


async def _rename(session: Session, row: Configuration, fields: Fields) -> None:
    """Tasks and switch stay as they are."""
    wanted = {
        "name": fields["name"].strip(),
        "description": fields["description"].strip(),
        "labels": labels_of(fields["labels"]),
    }
    given = forms.checked(OrchestrationIn, wanted)
    spec = OrchestrationSpec(
        given.name or row.id,
        given.description,
        row.enabled,
        row.parameters.get("phases", []),
        labels=given.labels,
        kept=set(sealed_values(row.parameters)),
    )
    await service.save(session, row.id, spec)


def labels_of(text: str) -> list[str]:
    """`marketing, flights demo` as labels, each once."""
    return list(dict.fromkeys(label for label in (part.strip() for part in text.split(",")) if label))


def _values(row: Configuration) -> Fields:
    labels = ", ".join(row.labels)
    return Fields(name=row.name, description=row.description, labels=labels, etag=row.etag)


def _edit_form(
    request: Request, frame: Frame, row: Configuration, values: Fields, status: int = 200, **more: Any
) -> Response:
    shown = {"row": row, "values": values, "overtaken": None, **more}
    return _dialog(request, frame, "edit", f"Edit {row.name}", status, **shown)


async def duplicate(request: Request) -> Response:
    """A copy, which is disabled until it is enabled."""
    row: Configuration | None = None
    name = request.path_params["orchestration"]
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            row = await configurations.load(session, orchestration_key(name))
        return _copy_form(request, frame, row, Fields(name=name_of_copy(row, None)))
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            row = await configurations.load(session, orchestration_key(name))
            called = fields["name"].strip()
            forms.checked(OrchestrationIn, {"name": called})
            copy = await free_id(session, id_like(called))
            await copies.copy(session, name, copy, called, [part for part in PARTS if fields[part]])
            url = urls_of(request)("orchestration", project=session.project, orchestration=copy)
            return answers.done(request, frame, fields, f"{called} was created. It is disabled.", to=url)
    except UserError as error:
        if row is None or isinstance(error, Forbidden):
            raise
        return _copy_form(request, frame, row, fields, 422, errors=forms.refused(error))


def _copy_form(
    request: Request, frame: Frame, row: Configuration, values: Fields, status: int = 200, **more: Any
) -> Response:
    shown = {"row": row, "values": values, **more}
    return _dialog(request, frame, "duplicate", f"Duplicate {row.name}", status, **shown)


async def move_to_trash(request: Request) -> Response:
    """At once; the toast brings it back."""
    fields, own = await entering.sent(request), orchestration_parts(request)
    name = own["orchestration"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(name))
        await service.delete(session, name)
    undo = Undo(urls_of(request)("restore_orchestration", **own))
    topics: Sequence[str] = (f"orchestration:{name}", "orchestrations", "trash")
    return answers.done(request, frame, fields, f"{row.name} is in the trash.", *topics, undo=undo)


async def restore(request: Request) -> Response:
    """Out of the trash, as it was."""
    fields, name = await entering.sent(request), request.path_params["orchestration"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        found = await trash.restore(session, orchestration_key(name))
    topics: Sequence[str] = (f"orchestration:{name}", "orchestrations", "trash")
    return answers.done(request, frame, fields, f"{found.name} is back. It resumes now.", *topics)


async def refresh_token(request: Request) -> Response:
    """Asks first: what runs with the old secret cannot go on."""
    name = request.path_params["orchestration"]
    if request.method != "POST":
        async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
            session.actor.require_configure(ORCHESTRATOR)
            row = await configurations.current(session, orchestration_key(name))
        return _dialog(request, frame, "refresh_token", f"Refresh the token of {row.name}?", row=row)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        await service.refresh_token(session, name)
        text = f"The token of {name} has a new secret."
        return answers.done(request, frame, fields, text, f"orchestration:{name}")


def _dialog(
    request: Request, frame: Frame, template: str, title: str, status: int = 200, **shown: Any
) -> Response:
    back = urls_of(request)("orchestration", **orchestration_parts(request))
    name = f"orchestrations/{template}"
    return pages.dialog(request, name, status, title=title, frame=frame, back=back, **shown)
