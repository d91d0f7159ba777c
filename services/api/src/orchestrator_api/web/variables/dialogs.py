"""Variables are made, changed and removed; who uses one is shown before."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import variable_users
from orchestrator_api.catalog.rows import VariableUser
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.projects import variables
from orchestrator_api.projects.models import VariableIn
from orchestrator_api.projects.rows import Variable
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.again import again
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.variables.asked import body_of, name_of
from orchestrator_api.web.variables.listing import SECTION, TOPIC
from orchestrator_shared.domain.errors import NotFound, UserError

Users = list[VariableUser] | None
"""None if there is too much to search."""


async def new(request: Request) -> Response:
    """A new variable."""
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (_, frame):
            return _form(request, frame, None)
    fields = await entering.sent(request, is_large=True)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as opened:
            session, frame = opened
            name = name_of(fields)
            await _save(session, name, fields, None)
            return answers.done(request, frame, fields, f"{name} is saved.", TOPIC)
    except PreconditionFailed:
        taken = UserError("there is a variable with this name: change that one", field="name")
        return _form(request, frame, None, **again(taken, fields))
    except UserError as error:
        return _form(request, frame, None, **again(error, fields))


async def edit(request: Request) -> Response:
    """A variable, who uses it, and its new value."""
    name = request.path_params["variable"]
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            stored = variables.shown(await variables.read(session, name))
            users = await _users(session, name)
        return _form(request, frame, stored, users=users)
    fields = await entering.sent(request, is_large=True)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as opened:
            session, frame = opened
            stored = variables.shown(await variables.read(session, name))
            users = await _users(session, name)
            await _save(session, name, fields, stored)
            text = f"{name} is saved. Runs that start from now on use it."
            return answers.done(request, frame, fields, text, TOPIC)
    except UserError as error:
        shown = again(error, fields)
        return _form(request, frame, stored, users=users, **shown)


async def _save(session: Session, name: str, fields: Fields, stored: Variable | None) -> None:
    body = forms.checked(VariableIn, body_of(fields, stored))
    condition = Condition.seen(fields["etag"] if stored else None)
    await edits.check_save(session, condition, await variables.target(session, name))
    await variables.save(session, name, body.value, body.secret)


async def _users(session: Session, name: str) -> Users:
    try:
        return await variable_users.usages(session, name)
    except NotFound:
        raise
    except UserError:
        return None


def _form(
    request: Request,
    frame: Frame,
    stored: Variable | None,
    status: int = 200,
    *,
    users: Users = None,
    **values: Any,
) -> Response:
    return pages.dialog(
        request,
        "variables/edit",
        status,
        title=stored.name if stored else "New variable",
        frame=frame,
        back=_back(request),
        each=stored,
        users=users,
        **values,
    )


async def remove(request: Request) -> Response:
    """The end of a variable, once that is confirmed."""
    name = request.path_params["variable"]
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            stored, users = await variables.read(session, name), await _users(session, name)
        return _confirm(request, frame, stored, users)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as opened:
            session, frame = opened
            stored, users = await variables.read(session, name), await _users(session, name)
            seen = Condition.seen(fields["etag"])
            await edits.check(session, seen, await variables.target(session, name))
            await variables.delete(session, name)
            return answers.done(request, frame, fields, f"{name} is removed.", TOPIC)
    except PreconditionFailed as error:
        return _confirm(request, frame, stored, users, **again(error, fields))


def _confirm(
    request: Request, frame: Frame, stored: Variable, users: Users, status: int = 200, **values: Any
) -> Response:
    shown = {"each": stored, "users": users, **values}
    return pages.dialog(
        request,
        "variables/remove",
        status,
        title=f"Remove {stored.name}?",
        frame=frame,
        back=_back(request),
        **shown,
    )


def _back(request: Request) -> str:
    return urls_of(request)("variables", project=request.path_params["project"])
