"""Ends a job, from wherever it is shown."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.queue import terminations
from orchestrator_api.runs import jobs
from orchestrator_api.runs import service as runs
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.address_parts import id_part
from orchestrator_api.web.jobs.listing import SECTION
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of


def job_of(request: Request) -> UUID:
    """The id in the address; raises NotFound."""
    return id_part(request, "job", "there is no job {!r} in this project")


async def terminate(request: Request) -> Response:
    """Asks first, with what would stop and who would start earlier; then asks the job to stop."""
    job = job_of(request)
    if request.method == "GET":
        return await _ask(request, job)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
        session.actor.require(Scope.READ)
        found = await jobs.find(session, job)
        preview = await terminations.preview(session, job)
        await runs.terminate(session, job)
        text = f"{preview.name} is asked to stop."
        return answers.done(request, frame, fields, text, "jobs", f"job:{job}", f"run:{found.root_id}")


async def _ask(request: Request, job: UUID) -> Response:
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        preview = await terminations.preview(session, job, viewer_of(request).zone)
    name = preview.name
    back = urls_of(request)("jobs", project=request.path_params["project"])
    shown: dict[str, Any] = {"thing": name, "preview": preview, "job": job}
    return pages.dialog(
        request, "jobs/terminate", title=f"Terminate {name}?", frame=frame, back=back, **shown
    )
