"""What the forms of the board do: operations on the draft, undo and redo, save and discard."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import task_names
from orchestrator_api.drafts import service as drafts
from orchestrator_api.drafts.board import Board
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.refusals import Overtaken, PreconditionFailed
from orchestrator_api.http.session import Session
from orchestrator_api.web import entering, forms, once, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.entering import AlreadyDone
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks import asked, showing
from orchestrator_api.web.tasks.asked import Operations
from orchestrator_api.web.tasks.board import Told
from orchestrator_api.web.tasks.said import gone, said
from orchestrator_api.web.tasks.showing import SECTION
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.words import counted
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.domain.errors import NotFound

ELSEWHERE = "The draft was changed in another tab or on another device, so nothing was done here."
"""What the form was made of is no longer there; the board that answers is as it is now."""
UNORDERED, MOST_MENDED = "unordered", 20
DRAFT = "draft"
"""The field with the tag of the draft that the form was made of."""


class _Wanted(BaseModel):
    operations: list[Operation]


def parsed(wanted: Operations) -> Sequence[Operation]:
    """The operations as the API takes them; raises Invalid."""
    return forms.checked(_Wanted, {"operations": wanted}).operations


async def change(request: Request) -> Response:
    """One operation; the answer is the board with its checks done again."""
    fields = await entering.sent(request, is_large=True)
    name, selects = request.path_params["orchestration"], fields[showing.SELECT] == "on"
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            board, told = await _changed(session, name, fields)
            found = await showing.shown(session, board)
            keep_answer(request, told)
    except AlreadyDone as error:
        return await as_it_was(request, fields, error)
    except PreconditionFailed:
        return await as_it_is(request, fields, Told(note=ELSEWHERE))
    return showing.answer(request, frame, found, told, fields, selects=selects and bool(board.phases))


async def _changed(session: Session, name: str, fields: Fields) -> tuple[Board, Told]:
    seen = condition(fields)
    if "undo" in fields:
        board = await drafts.undo(session, name, seen)
        return board, Told(f"Undone: {board.redo}.")
    if "redo" in fields:
        board = await drafts.redo(session, name, seen)
        return board, Told(f"Done again: {board.undo}.")
    if "keep" in fields:
        board = await drafts.keep(session, name, seen, fields["keep"])
        return board, Told("Kept as it is.")
    if "mine" in fields or "theirs" in fields:
        return await _resolved(session, name, fields)
    return await carry_out(session, name, fields)


async def _resolved(session: Session, name: str, fields: Fields) -> tuple[Board, Told]:
    """Goes on from the version that someone else saved."""
    side: Literal["mine", "theirs"] = "mine" if "mine" in fields else "theirs"
    version = int(fields[side]) if fields[side].isdecimal() else 0
    board = await drafts.resolve(session, name, condition(fields), side, version)
    text = f"Your tasks are on top of version {version}." if side == "mine" else f"Version {version} taken."
    return board, Told(text)


async def carry_out(session: Session, name: str, fields: Fields) -> tuple[Board, Told]:
    """The operations that the form asks for."""
    before = await drafts.tasks(session, name)
    wanted = (
        await _remedy(session, name, fields)
        if "remedy" in fields
        else asked.operations(fields, before.phases)
    )
    if fields["mend"] == "true":
        wanted = await mended(session, name, wanted)
    if not wanted:
        return await drafts.board(session, name), Told(*said(wanted, before.phases, before.phases))
    board = await drafts.change(session, name, condition(fields), parsed(wanted))
    keys = [(task.component, task.configuration) for task in gone(wanted, before.phases)]
    names = await task_names.names_of(session, keys) if keys else {}
    text, focus = said(wanted, before.phases, board.phases, names)
    return board, Told(f"{text}{_judged(board)}", focus)


async def _remedy(session: Session, name: str, fields: Fields) -> Operations:
    """What helps against a warning of the board."""
    board = await drafts.board(session, name)
    for check in board.checks:
        if check.id == fields["remedy"] and check.remedy is not None:
            return list(check.remedy.operations)
    raise NotFound("this is no longer to be reviewed: look at the board again", field="remedy")


async def mended(session: Session, name: str, wanted: Operations) -> Operations:
    """The operations, and then those that put what reads into phases after what writes."""
    for _ in range(MOST_MENDED):
        board = await drafts.preview(session, name, parsed(wanted))
        remedies = [each.remedy for each in board.checks if each.kind == UNORDERED and not each.kept]
        if not remedies or remedies[0] is None:
            break
        wanted = [*wanted, *remedies[0].operations]
    return wanted


def _judged(board: Board) -> str:
    errors = f" {counted(board.errors, 'error')}." if board.errors else ""
    return f"{errors} {board.warnings} to review." if board.warnings else errors


def condition(fields: Fields) -> Condition:
    """The draft that the form was made of."""
    return Condition.seen(fields[DRAFT])


def keep_answer(request: Request, told: Told) -> None:
    """For when the same form is sent again; to be called within the transaction."""
    once.tell(request, once.Done(told.said or told.toast))


async def as_it_was(request: Request, fields: Fields, error: AlreadyDone) -> Response:
    """The board as it is now; what the form asked for was done when it was sent before."""
    return await as_it_is(request, fields, Told(error.done.text, toast=error.done.text), status=200)


async def as_it_is(
    request: Request, fields: Fields, told: Told, note: str = "", status: int = 409
) -> Response:
    """The board as it is now, because what the form asked for was not done."""
    async with entering.showing(request, fields, Scope.READ, section=SECTION) as (session, frame):
        board = await drafts.board(session, request.path_params["orchestration"])
        found = await showing.shown(session, board)
    return showing.answer(request, frame, found, told, fields, status=status, note=note)


async def save(request: Request) -> Response:
    """Save the draft as the next version; if someone else did so meanwhile, both sides are shown."""
    fields = await entering.sent(request)
    name, note = request.path_params["orchestration"], fields["note"].strip()
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            saved = await drafts.save(session, name, condition(fields), note)
            found = await showing.shown(session, await drafts.board(session, name))
            text = (
                f"Saved as version {saved.version}."
                if saved.changed
                else f"Nothing differs from version {saved.version}."
            )
            keep_answer(request, Told(text))
    except AlreadyDone as error:
        return await as_it_was(request, fields, error)
    except Overtaken:
        return await as_it_is(
            request, fields, Told(said="Nothing was saved: someone else saved meanwhile."), note
        )
    except PreconditionFailed:
        return await as_it_is(request, fields, Told(note=ELSEWHERE), note)
    return showing.answer(request, frame, found, Told(text, "add", toast=text), fields)


async def discard(request: Request) -> Response:
    """Asks whether to end the draft, and does it."""
    if request.method == "GET":
        return await _ask(request)
    fields = await entering.sent(request)
    name = request.path_params["orchestration"]
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            await drafts.discard(session, name, condition(fields))
            found = await showing.shown(session, await drafts.board(session, name))
            text = f"The draft is discarded. This is version {found.board.version}."
            keep_answer(request, Told(text))
    except AlreadyDone as error:
        return await as_it_was(request, fields, error)
    except PreconditionFailed:
        return await as_it_is(request, fields, Told(note=ELSEWHERE))
    return showing.answer(request, frame, found, Told(text, "add", toast=text), fields)


async def _ask(request: Request) -> Response:
    async with entering.reading(request, Scope.CONFIGURE, section=SECTION) as (session, frame):
        board = await drafts.board(session, request.path_params["orchestration"])
    urls, parts = urls_of(request), orchestration_parts(request)
    return pages.dialog(
        request,
        "tasks/discard",
        title=f"Discard the draft of {board.name}?",
        frame=frame,
        back=urls("tasks", **parts),
        board=board,
        action=urls("discard_tasks", **parts),
    )
