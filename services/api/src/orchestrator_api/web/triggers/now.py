"""How ready a trigger is now, why it ran or did not, and what became of its last updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.session import Session
from orchestrator_api.triggers import explanations
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.explanations import Explanation
from orchestrator_api.triggers.rows import StoredDisposition
from orchestrator_api.web import entering, pages
from orchestrator_api.web.triggers.words import ReadyRow, became, in_zone, ready_rows
from orchestrator_api.web.viewer import Viewer, viewer_of

LAST_UPDATES = 5


@dataclass(frozen=True, slots=True)
class Now:
    """What is shown of a saved trigger beside its form."""

    id: UUID
    name: str
    explanation: Explanation
    rows: Sequence[ReadyRow]
    reasons: Sequence[str]
    updates: Sequence[StoredDisposition]


async def now_of(session: Session, trigger_id: UUID, viewer: Viewer) -> Now:
    """Reads it."""
    found = await explanations.explain(session, trigger_id, viewer.zone)
    updates = await triggers.dispositions(session, trigger_id, (None, None, None, None), LAST_UPDATES)
    reasons = [in_zone(each, viewer) for each in found.reasons]
    return Now(trigger_id, found.name, found, ready_rows(found, viewer), reasons, updates)


async def show(request: Request) -> Response:
    """The part that is fetched again when an update was heard."""
    orchestration, name = request.path_params["orchestration"], request.path_params["trigger"]
    async with entering.reading(request, Scope.READ) as (session, frame):
        stored = await triggers.find(session, orchestration, name)
        found = await now_of(session, stored.id, viewer_of(request))
    return pages.page(
        request, "triggers/now", frame=frame, orchestration=orchestration, now=found, became=became
    )
