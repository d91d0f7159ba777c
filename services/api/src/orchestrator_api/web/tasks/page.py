"""The page of an orchestration's tasks: a board of phases, drawn from the caller's draft."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.drafts import service as drafts
from orchestrator_api.web import entering
from orchestrator_api.web.tasks import showing
from orchestrator_api.web.tasks.showing import SECTION


async def tasks(request: Request) -> Response:
    """The board; `select` shows boxes to tick tasks and phases."""
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        board = await drafts.board(session, request.path_params["orchestration"])
        found = await showing.shown(session, board)
    selects = request.query_params.get(showing.SELECT) == "on" and frame.may_configure
    return showing.whole(request, frame, found, selects=selects)
