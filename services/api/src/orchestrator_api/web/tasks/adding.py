"""The dialog that adds tasks: configurations found by type and text, several at once."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.drafts import service as drafts
from orchestrator_api.http.refusals import PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.web import entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.entering import AlreadyDone
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks import asked, changing, showing
from orchestrator_api.web.tasks.asked import Operations
from orchestrator_api.web.tasks.board import Told
from orchestrator_api.web.tasks.choices import TYPES, Choices, choices, named
from orchestrator_api.web.tasks.said import said
from orchestrator_api.web.tasks.showing import SECTION
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import Conflict, UserError

ADD = "add:"
"""Before the names of the boxes in which configurations are ticked."""


async def add(request: Request) -> Response:
    """Opens the dialog, or adds what is ticked."""
    if request.method == "GET":
        async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _dialog(request, session, frame, _given(request))
    fields = await entering.sent(request, is_large=True)
    try:
        return await _added(request, fields)
    except AlreadyDone as error:
        return await changing.as_it_was(request, fields, error)
    except PreconditionFailed:
        return await changing.as_it_is(request, fields, Told(note=changing.ELSEWHERE))
    except Conflict:
        raise
    except UserError as error:
        async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _dialog(
                request, session, frame, fields, forms.refused(error, {"operations": "form"})
            )


async def _added(request: Request, fields: Fields) -> Response:
    name = request.path_params["orchestration"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        before = await drafts.tasks(session, name)
        wanted = _wanted(fields, await named(session, _keys(fields)))
        board = await drafts.change(session, name, changing.condition(fields), changing.parsed(wanted))
        found = await showing.shown(session, board)
        text, _ = said(wanted, before.phases, board.phases)
        changing.keep_answer(request, Told(text))
    was = {task.id for phase in before.phases for task in phase.tasks}
    new = [task.id for phase in board.phases for task in phase.tasks if task.id not in was]
    return showing.answer(request, frame, found, Told(text, f"grip-{new[0]}", toast=text), fields)


def _wanted(fields: Fields, names: Mapping[tuple[str, str], str]) -> Operations:
    tasks = [
        {"component": component, "configuration": configuration, "name": names[component, configuration]}
        if (component, configuration) in names
        else {"component": component, "configuration": configuration}
        for component, configuration in _keys(fields)
    ]
    if not tasks:
        raise UserError("Tick what to add.", field="form")
    return [{"operation": "add_tasks", "tasks": tasks, **asked.target(fields)}]


def _keys(fields: Fields) -> list[tuple[str, str]]:
    """What is ticked: components and configurations."""
    found = [each.partition("/") for each in asked.ticked(fields, ADD)]
    return [(component, configuration) for component, slash, configuration in found if slash]


async def addable(request: Request) -> Response:
    """The part of the dialog that a search changes."""
    fields = _given(request)
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        values = await _found(session, request.path_params["orchestration"], fields)
    return pages.page(request, "tasks/found", frame=frame, values=fields, **values)


def _given(request: Request) -> Fields:
    fields = Fields(request.query_params)
    if "phase" in fields:
        fields["to"] = fields["phase"]
    return fields


async def _found(session: Session, name: str, fields: Fields) -> dict[str, Any]:
    definition = await drafts.tasks(session, name)
    used = [(task.component, task.configuration) for task in definition.tasks()]
    found: Choices = await choices(
        session, name, used, search=fields["q"].strip()[:200], kind=fields["type"], ticked=_keys(fields)
    )
    return {"found": found, "definition": definition}


async def _dialog(
    request: Request, session: Session, frame: Frame, fields: Fields, errors: Fields | None = None
) -> Response:
    name = request.path_params["orchestration"]
    values = await _found(session, name, fields)
    head = await drafts.board(session, name)
    urls, parts = urls_of(request), orchestration_parts(request)
    return pages.dialog(
        request,
        "tasks/add",
        422 if errors else 200,
        title=f"Add tasks to {head.name}",
        frame=frame,
        back=urls("tasks", **parts),
        size="wide",
        own=parts,
        name=head.name,
        tag=head.etag,
        phases=values["definition"].phases,
        types=TYPES,
        action=urls("add_tasks", **parts),
        values=fields,
        errors=errors or Fields(),
        **values,
    )
