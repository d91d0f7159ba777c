"""Drafts of orchestrations' tasks."""

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.drafts import service as drafts
from orchestrator_api.drafts.board import Board
from orchestrator_api.drafts.models import BoardOut, DraftPreviewIn, DraftSaveIn, StepIn
from orchestrator_api.http.conditional import Condition
from orchestrator_api.http.dependencies import (
    DELETE,
    EDIT,
    PREFIX,
    READ_ONE,
    WRITE,
    Call,
    Identifier,
    If,
    Project,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import views
from orchestrator_api.orchestrations.models import OrchestrationOut, OrchestrationSaved
from orchestrator_api.orchestrations.validation import FEW_TASKS

router = APIRouter(
    prefix=f"{PREFIX}/orchestrations/{{orchestration}}/draft",
    tags=["orchestrations"],
    route_class=GatedRoute,
)


@router.get("", operation_id="get_draft", response_model=BoardOut, responses=READ_ONE)
async def get_draft(call: Call, project: Project, orchestration: Identifier) -> Response:
    """Get your draft of an orchestration's tasks, with what changed and what is worth a look.

    As long as you have none, these are the saved tasks; the first step begins it. Every person and every
    token has a draft of its own. It ends when it is saved or discarded, or was not touched for 90 days.
    """
    async with call.session(Scope.READ, project) as session:
        return await _answer(session, await drafts.board(session, orchestration))


@router.post(
    "/steps",
    operation_id="change_draft",
    response_model=BoardOut,
    responses=EDIT,
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def change_draft(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: StepIn,
    condition: If,
) -> Response:
    """Take one step in your draft: operations, undo, redo, keep a warning, or resolve a conflict.

    Nothing is saved but the draft. `If-Match` names the draft that you have seen: a step is never done twice.
    """
    async with call.session(Scope.CONFIGURE, project) as session:
        return await _answer(session, await _step(session, orchestration, condition, body))


@router.post(
    "/previews",
    operation_id="preview_draft",
    response_model=BoardOut,
    responses=WRITE,
    openapi_extra=takes(Scope.READ, max_bytes=LARGE),
)
async def preview_draft(
    call: Call, project: Project, orchestration: Identifier, body: DraftPreviewIn
) -> Response:
    """Preview your draft after operations, such as grouping by type: lengths, checks, and what would change.

    Nothing is kept. `etag` is that of the draft as it is: with it, the same operations can be sent as a step.
    """
    async with call.session(Scope.READ, project) as session:
        board = await drafts.preview(session, orchestration, body.operations)
        return await _answer(session, board, is_tagged=False)


async def _answer(session: Session, board: Board, *, is_tagged: bool = True) -> Response:
    """The board as JSON: written in a thread if it is large, which would hold up every other request."""

    def written() -> bytes:
        return BoardOut.model_validate(board).model_dump_json().encode()

    tasks = sum(len(phase.tasks) for phase in board.phases)
    content = written() if tasks <= FEW_TASKS else await session.offload.run(written)
    headers = {"ETag": board.etag} if is_tagged else None
    return Response(content, media_type="application/json", headers=headers)


async def _step(session: Session, orchestration: str, condition: Condition, body: StepIn) -> Board:
    if body.operations is not None:
        return await drafts.change(session, orchestration, condition, body.operations)
    if body.keep is not None:
        return await drafts.keep(session, orchestration, condition, body.keep)
    if body.resolve is not None:
        choice = body.resolve
        return await drafts.resolve(session, orchestration, condition, choice.keep, choice.version)
    go = drafts.undo if body.undo else drafts.redo
    return await go(session, orchestration, condition)


@router.post("/save", operation_id="save_draft", responses=EDIT, openapi_extra=takes(Scope.CONFIGURE))
async def save_draft(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: DraftSaveIn,
    condition: If,
    response: Response,
) -> OrchestrationSaved:
    """Save your draft as a new version of the orchestration, which ends the draft.

    If someone has saved a version since you began, nothing is saved (409): resolve the conflict first.
    """
    async with call.session(Scope.CONFIGURE, project) as session:
        saved = await drafts.save(session, orchestration, condition, body.note)
        row = await configurations.load(session, configurations.orchestration_key(orchestration))
        (shown,) = await views.orchestrations(session, [row])
    plain = OrchestrationOut.model_validate(shown)
    return tagged(response, OrchestrationSaved(**dict(plain), changed=saved.changed))


@router.delete("", operation_id="discard_draft", status_code=204, responses=DELETE)
async def discard_draft(call: Call, project: Project, orchestration: Identifier, condition: If) -> None:
    """Discard your draft; the saved tasks stay as they are."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await drafts.discard(session, orchestration, condition)
