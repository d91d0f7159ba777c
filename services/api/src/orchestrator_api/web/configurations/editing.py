"""Edits the parameters of a configuration, or of a new one: a form and JSON, checked as they change."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import checks, configurations
from orchestrator_api.catalog.configurations import ConfigurationSpec, Key, component_key
from orchestrator_api.catalog.models import ConfigurationIn
from orchestrator_api.catalog.rows import Component, Configuration
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.offload import CallerOffload
from orchestrator_api.http.refusals import (
    FieldError,
    Invalid,
    PreconditionFailed,
)
from orchestrator_api.http.session import Session
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import NOT_NOW
from orchestrator_api.web.configurations import editor
from orchestrator_api.web.configurations.editor import PARAMETERS, Editor
from orchestrator_api.web.configurations.head import component_of, url_of
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.configurations.names import Identified, id_of
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError

TURNS = ("form", "json")


@dataclass(frozen=True, slots=True)
class Edited:
    """What is edited; a new one has no row yet."""

    key: Key
    component: Component
    row: Configuration | None

    @property
    def schema(self) -> Any:
        return self.component.definition.get("parameters") or {}

    @property
    def parameters(self) -> dict[str, Any]:
        """As stored, masked."""
        return configurations.masked(self.row).parameters if self.row else {}


async def edit_configuration(request: Request) -> Response:
    """The editor of a configuration, and what it sends."""
    key = component_key(request.path_params["component"], request.path_params["configuration"])
    if request.method == "POST":
        return await _sent(request, key)
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        edited, offload = await _edited(session, key), session.offload
    assert edited.row is not None
    row, side = edited.row, request.query_params.get("side", "form")
    values = Fields(name=row.name, description=row.description, etag=row.etag, version=str(row.version))
    begun = await offload.run(editor.begun, edited.schema, edited.parameters, side)
    return _page(request, frame, edited, begun, values)


async def create_configuration(request: Request) -> Response:
    """The editor of one that does not exist yet; its name comes from the dialog."""
    query = request.query_params
    key = component_key(request.path_params["component"], "")
    if request.method == "POST":
        return await _sent(request, key, is_new=True)
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        edited, offload = Edited(key, await component_of(session, key.component), None), session.offload
    name = query.get("name", "")[:200]
    values = Fields(name=name, id=query.get("id") or id_of(name))
    begun = await offload.run(editor.begun, edited.schema, {})
    return _page(request, frame, edited, begun, values)


async def check_configuration(request: Request) -> Response:
    """While one types: what is wrong, and the other side of the editor."""
    return await _checked(request, request.path_params["configuration"])


async def check_new_configuration(request: Request) -> Response:
    """The same for one that does not exist yet."""
    return await _checked(request, "")


async def _checked(request: Request, name: str) -> Response:
    fields = await entering.sent(request, is_large=True)
    key = component_key(request.path_params["component"], name)
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        edited, offload = await _edited(session, key, is_new=not name), session.offload
    shown = await _shown(request, offload, edited, fields)
    return pages.page(request, "configurations/checked", frame=frame, editor=shown)


async def _edited(session: Session, key: Key, *, is_new: bool = False) -> Edited:
    session.actor.require_configure(key.component, field="component")
    row = None if is_new else await configurations.load(session, key)
    return Edited(key, await component_of(session, key.component), row)


async def _shown(
    request: Request, offload: CallerOffload, edited: Edited, fields: Fields, turn: str = ""
) -> Editor:
    """The editor with what was sent, checked; long work waits for its thread without a connection."""
    sent = await offload.run(editor.read, fields, edited.parameters)
    found: list[FieldError] = []
    if not sent.errors:
        async with entering.showing(request, fields, Scope.CONFIGURE) as (session, _):
            found = await checks.problems_of(session, edited.key, sent.parameters)
    shown: Editor = await offload.run(editor.shown, edited.schema, sent, found, turn)
    return shown


async def _sent(request: Request, key: Key, *, is_new: bool = False) -> Response:
    fields = await entering.sent(request, is_large=True)
    turn = fields["turn"]
    if turn and turn != "save":
        return await _again(request, key, fields, turn=turn, is_new=is_new)
    try:
        return await _save(request, key, fields, is_new=is_new)
    except UserError as error:
        if isinstance(error, NOT_NOW):
            raise
        return await _again(request, key, fields, error, is_new=is_new)


async def _save(request: Request, key: Key, fields: Fields, *, is_new: bool) -> Response:
    name = fields["id"] or id_of(fields["name"]) if is_new else key.id
    async with entering.showing(request, fields, Scope.CONFIGURE) as (session, _):
        edited, offload = await _edited(session, key, is_new=is_new), session.offload
    sent = await offload.run(editor.read, fields, edited.parameters)
    if sent.errors:
        raise Invalid(sent.errors)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        target = Key(key.component, forms.checked(Identified, {"id": name}).id)
        body = forms.checked(ConfigurationIn, _body(fields, sent.parameters))
        condition = Condition.seen(fields["etag"] or None)
        await edits.check_save(session, condition, await configurations.component_target(session, target))
        spec = ConfigurationSpec(body.name or target.id, body.description, True, body.parameters, body.note)
        await configurations.save_component_configuration(session, target, spec)
        own: dict[str, Any] = {"project": session.project, "component": key.component}
        to = urls_of(request)("configuration", configuration=target.id, **own)
        return answers.done(request, frame, fields, "Saved.", to=to)


async def _again(
    request: Request,
    key: Key,
    fields: Fields,
    error: UserError | None = None,
    *,
    turn: str = "",
    is_new: bool,
) -> Response:
    """The editor with all that was typed, and why it was refused."""
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        edited, offload = await _edited(session, key, is_new=is_new), session.offload
    shown = await _shown(request, offload, edited, fields, turn)
    values, conflict = Fields(fields), None
    if isinstance(error, PreconditionFailed) and edited.row is not None:
        conflict, values["etag"] = error, error.etag or ""
    elif isinstance(error, PreconditionFailed):
        error = UserError("is in use: choose another id", field="id")
    errors = Fields() if error is None or conflict else _beside(error)
    status = 200 if error is None else 409 if conflict else 422
    return _page(request, frame, edited, shown, values, status, errors=errors, conflict=conflict)


def _beside(error: UserError) -> Fields:
    """Errors of what stands above the editor; those of the parameters are its own."""
    found = error.errors if isinstance(error, Invalid) else [FieldError(error.field or "form", error.detail)]
    others = [each for each in found if each.field.split(".")[0] not in (PARAMETERS, "")]
    return forms.refused(Invalid(others)) if others else Fields()


def _body(fields: Fields, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": fields["name"] or None,
        "description": fields["description"],
        "note": fields["note"],
        "parameters": parameters,
    }


def _page(
    request: Request,
    frame: Frame,
    edited: Edited,
    shown: Editor,
    values: Fields,
    status: int = 200,
    **more: Any,
) -> Response:
    name = "configurations/editor" if pages.is_partial(request) else "configurations/edit"
    row, urls = edited.row, urls_of(request)
    project, component = request.path_params["project"], edited.key.component
    if row is None:
        back = urls("component_configurations", project=project, component=component)
        check = urls("check_new_configuration", project=project, component=component)
    else:
        back, check = url_of(request), url_of(request, "check_configuration")
    given = {"conflict": None, "errors": Fields(), **more}
    return pages.page(
        request,
        name,
        status,
        title=f"Edit {row.name}" if row else f"New configuration of {edited.component.name}",
        frame=frame,
        edited=edited,
        row=row,
        editor=shown,
        values=values,
        back=back,
        check=check,
        action=request.url.path,
        is_typed=request.method == "POST",
        **given,
    )
