"""Registers and changes components: their document as JSON, checked as it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components
from orchestrator_api.catalog.models import ComponentIn
from orchestrator_api.catalog.parameters import check_schema
from orchestrator_api.catalog.rows import Component
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import FieldError, Invalid, PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import NOT_NOW
from orchestrator_api.web.components.page import SECTION
from orchestrator_api.web.configurations.editor import JSON_ID, Problem
from orchestrator_api.web.configurations.json_places import parsed, with_lines
from orchestrator_api.web.configurations.names import Identified
from orchestrator_api.web.configurations.sent import shown_json
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound, UserError

BEGUN: dict[str, Any] = {
    "component": "my-component",
    "name": "My component",
    "type": "extractor",
    "executor": "process",
    "command": ["{python}", "-m", "my_component"],
    "after_crash": "fail",
    "parameters": {"type": "object", "properties": {"table": {"type": "string"}}, "required": ["table"]},
}


@dataclass(frozen=True, slots=True)
class Document:
    """What stands in the editor, and what is wrong with it."""

    text: str
    problems: Sequence[Problem] = ()


async def register_component(request: Request) -> Response:
    """The editor of one that is not registered yet."""
    if request.method == "POST":
        return await _sent(request, None)
    async with entering.reading(request, Scope.ADMIN, section=SECTION) as (_, frame):
        return _page(request, frame, None, Document(shown_json(BEGUN)), Fields())


async def edit_component(request: Request) -> Response:
    """The editor of a registered one."""
    name = request.path_params["component"]
    if request.method == "POST":
        return await _sent(request, name)
    async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
        stored = await _stored(session, name)
        return _page(request, frame, stored, _document(session, stored), Fields(etag=stored.etag))


async def check_component(request: Request) -> Response:
    """While one types: what is wrong."""
    fields = await entering.sent(request, is_large=True)
    async with entering.showing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        shown = await session.offload.run(_checked, fields["json"])
    return pages.page(request, "components/checked", frame=frame, document=shown)


async def _stored(session: Session, name: str) -> Component:
    found = await components.find(session, name)
    if found is None:
        raise NotFound(f"there is no component {name!r}", field="component")
    return found


def _document(session: Session, stored: Component) -> Document:
    return Document(shown_json(components.shown_to(session.actor, stored).definition))


def _checked(text: str) -> Document:
    text = text.replace("\r\n", "\n")
    try:
        body = _body(text)
    except Invalid as error:
        return _wrong(text, error.errors)
    return _wrong(text, check_schema(body.parameters))


def _wrong(text: str, errors: Sequence[FieldError]) -> Document:
    lines = with_lines(errors, text) if not parsed(text)[1] else [(0, each) for each in errors]
    return Document(text, [Problem(_sentence(each), JSON_ID, line) for line, each in lines])


def _sentence(each: FieldError) -> str:
    return f"{each.field}: {each.detail}" if each.field else each.detail


def _body(text: str) -> ComponentIn:
    """The document; raises Invalid."""
    given, errors = parsed(text)
    if errors:
        raise Invalid(errors)
    return forms.checked(ComponentIn, given)


async def _sent(request: Request, name: str | None) -> Response:
    fields = await entering.sent(request, is_large=True)
    text = fields["json"].replace("\r\n", "\n")
    try:
        return await _save(request, fields, text, name)
    except NOT_NOW:
        raise
    except UserError as error:
        return await _again(request, fields, text, name, error)


async def _save(request: Request, fields: Fields, text: str, name: str | None) -> Response:
    body = _body(text)
    wanted = name or forms.checked(Identified, {"id": body.component or ""}).id
    async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        target = await components.target(session, wanted)
        await edits.check_save(session, Condition.seen(fields["etag"] or None), target)
        await components.save(session, wanted, body)
        to = urls_of(request)("component", component=wanted)
        return answers.done(request, frame, fields, "Saved.", to=to)


async def _again(request: Request, fields: Fields, text: str, name: str | None, error: UserError) -> Response:
    """The editor with all that was typed, and why it was refused."""
    async with entering.showing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        stored = None if name is None else await _stored(session, name)
        there = None if stored is None else _document(session, stored).text
    values, conflict = Fields(fields), None
    if isinstance(error, PreconditionFailed) and stored is not None:
        conflict, values["etag"] = error, error.etag or ""
        return _page(request, frame, stored, _checked(text), values, 409, conflict=conflict, there=there)
    found = error.errors if isinstance(error, Invalid) else [_field_error(error)]
    return _page(request, frame, stored, _wrong(text, found), values, 422)


def _field_error(error: UserError) -> FieldError:
    if isinstance(error, PreconditionFailed):
        return FieldError("component", "is registered already: choose another id, or edit that one")
    return FieldError(error.field or "", error.detail)


def _page(
    request: Request,
    frame: Frame,
    stored: Component | None,
    document: Document,
    values: Fields,
    status: int = 200,
    **more: Any,
) -> Response:
    urls = urls_of(request)
    back = urls("component", component=stored.id) if stored else urls("components")
    shown: dict[str, Any] = {"conflict": None, "there": None, **more}
    return pages.page(
        request,
        "components/editor" if pages.is_partial(request) else "components/edit",
        status,
        title=f"Edit {stored.name}" if stored else "Register a component",
        frame=frame,
        each=stored,
        document=document,
        values=values,
        back=back,
        action=request.url.path,
        is_typed=request.method == "POST",
        **shown,
    )
