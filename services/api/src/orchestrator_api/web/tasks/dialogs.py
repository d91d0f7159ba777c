"""The dialogs of one task and of all: where to move it, its settings, and how to group them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.drafts import service as drafts
from orchestrator_api.drafts.board import Board, CardTask
from orchestrator_api.http.refusals import PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_api.web import entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.entering import AlreadyDone
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks import changing, showing
from orchestrator_api.web.tasks.board import Told, names_of, shown_name
from orchestrator_api.web.tasks.said import said
from orchestrator_api.web.tasks.settings import PLACES, settings_of, values_of
from orchestrator_api.web.tasks.showing import SECTION
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError

TITLES = {"move": "Move", "settings": "Settings of"}


async def move(request: Request) -> Response:
    """Where a task is moved to; a phase of the board, or a new one by its name."""
    if request.method == "GET":
        async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _about_task(request, session, frame, "move", Fields(request.query_params))
    fields = await entering.sent(request)
    try:
        return await _carried_out(request, fields)
    except AlreadyDone as error:
        return await changing.as_it_was(request, fields, error)
    except PreconditionFailed:
        return await changing.as_it_is(request, fields, Told(note=changing.ELSEWHERE))
    except (Conflict, NotFound):
        raise
    except UserError as error:
        errors = forms.refused(error, {"operations.0.to": "name", "to": "name", "operations": "form"})
        return await _again(request, "move", fields, errors)


async def _carried_out(request: Request, fields: Fields) -> Response:
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        board, told = await changing.carry_out(session, request.path_params["orchestration"], fields)
        found = await showing.shown(session, board)
        changing.keep_answer(request, told)
    return showing.answer(request, frame, found, told, fields)


async def settings(request: Request) -> Response:
    """How a task runs."""
    if request.method == "GET":
        async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
            return await _about_task(request, session, frame, "settings", Fields(request.query_params))
    fields = await entering.sent(request, is_large=True)
    try:
        return await _set(request, fields)
    except AlreadyDone as error:
        return await changing.as_it_was(request, fields, error)
    except PreconditionFailed:
        return await changing.as_it_is(request, fields, Told(note=changing.ELSEWHERE))
    except (Conflict, NotFound):
        raise
    except UserError as error:
        return await _again(request, "settings", fields, forms.refused(error, PLACES))


async def _set(request: Request, fields: Fields) -> Response:
    name, wanted = request.path_params["orchestration"], settings_of(fields)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        before = await drafts.tasks(session, name)
        board = await drafts.change(session, name, changing.condition(fields), changing.parsed(wanted))
        found = await showing.shown(session, board)
        text, _ = said(wanted, before.phases, board.phases)
        changing.keep_answer(request, Told(text))
    return showing.answer(request, frame, found, Told(text, f"more-{fields['task']}"), fields)


async def _again(request: Request, template: str, fields: Fields, errors: Fields) -> Response:
    async with entering.showing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        return await _about_task(request, session, frame, template, fields, errors)


async def _about_task(
    request: Request,
    session: Session,
    frame: Frame,
    template: str,
    fields: Fields,
    errors: Fields | None = None,
) -> Response:
    board = await drafts.board(session, request.path_params["orchestration"])
    task = _task(board, fields["task"] or fields["move"])
    urls, parts = urls_of(request), orchestration_parts(request)
    shown: dict[str, Any] = {"board": board, "task": task, "name": shown_name(task)}
    if template == "settings" and errors is None:
        fields = values_of(task)
    return pages.dialog(
        request,
        f"tasks/{template}",
        422 if errors else 200,
        title=f"{TITLES[template]} {shown['name']}",
        frame=frame,
        back=urls("tasks", **parts),
        action=urls(f"{template}_task", **parts),
        values=fields,
        errors=errors or Fields(),
        **shown,
    )


def _task(board: Board, wanted: str) -> CardTask:
    for phase in board.phases:
        for task in phase.tasks:
            if task.id == wanted:
                return task
    raise NotFound(f"there is no task {wanted!r} on the board", field="task")


async def group(request: Request) -> Response:
    """Tasks grouped by type, or one per phase: now and proposed."""
    by = "task" if request.query_params.get("by") == "task" else "type"
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        name = request.path_params["orchestration"]
        board = await drafts.board(session, name)
        wanted = changing.parsed([{"operation": "group_by_type" if by == "type" else "one_task_per_phase"}])
        proposed = await drafts.preview(session, name, wanted)
    urls, parts = urls_of(request), orchestration_parts(request)
    return pages.dialog(
        request,
        "tasks/group",
        title="Group tasks",
        frame=frame,
        back=urls("tasks", **parts),
        size="wide",
        own=parts,
        board=board,
        proposed=proposed,
        by=by,
        action=urls("change_tasks", **parts),
        is_large=sum(len(phase.tasks) for phase in board.phases) > FEW_TASKS,
        later=lambda: {"names": names_of(proposed.phases)},
        shown_name=shown_name,
        unordered=[each for each in proposed.checks if each.kind == changing.UNORDERED and not each.kept],
    )


TASK_ACTIONS = (("duplicate", "Duplicate"), ("remove", "Remove"))
PHASE_ACTIONS = (
    ("phase_up", "Move up"),
    ("phase_down", "Move down"),
    ("merge_next", "Merge with the next"),
    ("remove_phase", "Remove with its tasks"),
)


async def more(request: Request) -> Response:
    """The menu of a task or a phase as a page, for browsers without scripts."""
    query, urls, parts = request.query_params, urls_of(request), orchestration_parts(request)
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        board = await drafts.board(session, parts["orchestration"])
    shown: dict[str, Any] = {"value": query.get("phase", ""), "buttons": PHASE_ACTIONS, "links": []}
    title = "Phase"
    if "task" in query:
        task = _task(board, query["task"])
        title, of = shown_name(task), {"task": task.id}
        dialogs = (("move_task", "Move to…"), ("settings_task", "Settings…"))
        links = [(urls(name, query=of, **parts), text) for name, text in dialogs]
        shown = {"value": task.id, "buttons": TASK_ACTIONS, "links": links}
    back, action = urls("tasks", **parts), urls("change_tasks", **parts)
    return pages.dialog(
        request,
        "tasks/more",
        title=title,
        frame=frame,
        back=back,
        tag=board.etag,
        action=action,
        **shown,
    )
