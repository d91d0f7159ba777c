"""Where one lands after asking for a run: on its page, as soon as it has a number."""

import asyncio
from uuid import UUID

from starlette.requests import Request

from orchestrator_api.access.permissions import Scope
from orchestrator_api.runs import jobs
from orchestrator_api.web import entering
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound

LOOKS, PAUSE_SECONDS = 12, 0.1
"""A runner that is there gives the number within a few of them."""


async def number_of(request: Request, sent: Fields, job: UUID) -> int | None:
    """The number of a run that was just requested; None if no runner has accepted it yet."""
    for look in range(LOOKS):
        if look:
            await asyncio.sleep(PAUSE_SECONDS)
        async with entering.showing(request, sent, Scope.READ) as (session, _):
            try:
                found = await jobs.find(session, job)
            except NotFound:
                return None
        if found.number is not None:
            return found.number
    return None


async def landing_of(request: Request, sent: Fields, job: UUID) -> str:
    """The page of the run, else that of its orchestration."""
    own = {part: request.path_params[part] for part in ("project", "orchestration")}
    number = await number_of(request, sent, job)
    if number is None:
        return urls_of(request)("orchestration", **own)
    return urls_of(request)("run", number=number, **own)
