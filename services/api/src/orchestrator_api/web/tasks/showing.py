"""Renders the board: as a page, or as the answer to what was done with it."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.drafts.board import Board, CardTask
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_api.runs import jobs
from orchestrator_api.web import answers, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks.board import (
    Told,
    changed,
    drawn_on,
    flags_of,
    judged,
    names_of,
    prints,
    shown_name,
)
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = "orchestrations"
SELECT = "select"


@dataclass(frozen=True, slots=True)
class Shown:
    """A board, and what is known beside it."""

    board: Board
    usual_seconds: float | None
    """How long runs of the saved version usually take."""


async def shown(session: Session, board: Board) -> Shown:
    """The board as a page shows it."""
    key = (ORCHESTRATOR, board.orchestration)
    return Shown(board, (await jobs.usual_durations(session, [key])).get(key))


def answer(
    request: Request,
    frame: Frame,
    found: Shown,
    told: Told,
    sent: Fields,
    *,
    selects: bool = False,
    status: int = 200,
    note: str = "",
) -> Response:
    """The board after an operation: morphed in, or without scripts loaded again; `note` is kept."""
    if answers.is_alone(sent) or not pages.is_scripted(request):
        query = {SELECT: "on" if selects else ""}
        return answers.leave(request, urls_of(request)("tasks", query=query, **orchestration_parts(request)))
    has_parts = not selects and _is_plain(found.board)

    def values() -> dict[str, Any]:
        shown = values_of(request, found, told, selects=selects)
        parts = changed(sent["have"].split(), shown["prints"]) if has_parts else None
        return {**shown, "values": Fields(note=note), "changed": parts}

    is_large = _is_large(found.board)
    return pages.page(request, "tasks/answer", status, frame=frame, is_large=is_large, later=values)


def _is_large(board: Board) -> bool:
    return sum(len(phase.tasks) for phase in board.phases) > FEW_TASKS


def _is_plain(board: Board) -> bool:
    """Whether only phases, and not what stands above them, may have changed."""
    return board.conflict is None and board.is_open


def whole(request: Request, frame: Frame, found: Shown, *, selects: bool = False) -> Response:
    """The page."""

    def values() -> dict[str, Any]:
        return values_of(request, found, Told(), selects=selects)

    title, is_large = f"Tasks of {found.board.name}", _is_large(found.board)
    return pages.page(request, "tasks/editor", title=title, frame=frame, is_large=is_large, later=values)


def values_of(request: Request, found: Shown, told: Told, *, selects: bool) -> dict[str, Any]:
    """What the templates of the board need."""
    board, viewer, urls = found.board, viewer_of(request), urls_of(request)
    judgement = judged(board)

    def link_to(task: CardTask) -> str:
        parts = {"project": request.path_params["project"], "component": task.component}
        if task.component == ORCHESTRATOR:
            return urls("orchestration", orchestration=task.configuration, **parts)
        return urls("configuration", configuration=task.configuration, **parts)

    return {
        "board": board,
        "own": orchestration_parts(request),
        "told": told,
        "judged": judgement,
        "prints": prints(board, judgement),
        "names": names_of(board.phases),
        "drawn_on": drawn_on(board, viewer.now, viewer.zone),
        "saved_usual_seconds": found.usual_seconds,
        "selects": selects,
        "flags_of": flags_of,
        "shown_name": shown_name,
        "link_to": link_to,
    }
