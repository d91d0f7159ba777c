"""Why an orchestration did, or did not, run by itself: what its triggers say now."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.times import next_fire
from orchestrator_api.triggers import service as triggers
from orchestrator_api.web import entering, pages
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.schedules.words import around_run
from orchestrator_api.web.starts import of_schedule
from orchestrator_api.web.statuses import STATUSES
from orchestrator_api.web.triggers.now import now_of
from orchestrator_api.web.triggers.words import became
from orchestrator_api.web.viewer import viewer_of


async def why(request: Request) -> Response:
    """Its switch, its schedules with their last fire, and its triggers."""
    orchestration, viewer = request.path_params["orchestration"], viewer_of(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.load(session, orchestration_key(orchestration))
        found = [
            (
                each,
                of_schedule(each),
                next_fire(each, session.now),
                await schedules.fires(session, each.id, (None, None), 1),
            )
            for each in await schedules.listing(session, [orchestration])
        ]
        ready = [
            await now_of(session, each.id, viewer)
            for each in await triggers.listing(session, [orchestration])
        ]
    return pages.page(
        request,
        "triggers/why",
        title=f"Why did {row.name} (not) run?",
        frame=frame,
        each=row,
        orchestration=orchestration,
        schedules=found,
        triggers=ready,
        around_run=around_run,
        became=became,
        is_run=lambda fire: fire.number is not None and fire.status in STATUSES,
    )
