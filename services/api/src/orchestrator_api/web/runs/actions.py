"""What can be done with a run from its page: end it, and run again what did not succeed."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.refusals import Invalid, Overtaken
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_api.queue import terminations
from orchestrator_api.runs import jobs, retries
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.retry_plan import RetryPlan, Version
from orchestrator_api.web import answers, entering, once, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.runs.landing import landing_of
from orchestrator_api.web.runs.page import find
from orchestrator_api.web.runs.words import skipped_as
from orchestrator_api.web.urls import urls_of
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.errors import Conflict

TASK = "task:"
"""Begins the name of the field of each task that is ticked."""


async def terminate(request: Request) -> Response:
    """Asks first, with what would stop and who would start earlier; then asks the run to stop."""
    if request.method == "GET":
        return await _ask(request)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
        session.actor.require(Scope.READ)
        run = await find(session, request)
        await runs.terminate(session, run)
        text = f"{_name(request)} is asked to stop."
        return answers.done(request, frame, fields, text, f"run:{run}", f"job:{run}")


async def _ask(request: Request) -> Response:
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        preview = await terminations.preview(session, await find(session, request), viewer_of(request).zone)
    name, parts = _name(request), _parts(request)
    back = urls_of(request)("run", **request.path_params)
    shown: dict[str, Any] = {"thing": name, "preview": preview, **parts}
    return pages.dialog(
        request, "runs/terminate", title=f"Terminate {name}?", frame=frame, back=back, **shown
    )


async def retry(request: Request) -> Response:
    """Shows the plan; carries out exactly what was shown, and shows what changed if that is impossible."""
    if request.method == "GET":
        return await _plan(request)
    fields = await entering.sent(request, is_large=True)
    ticked = [name.removeprefix(TASK) for name in fields if name.startswith(TASK)]
    given: dict[str, Any] = {
        "plan_id": fields["plan"],
        "tasks": ticked,
        "confirm": fields["confirm"] == "true",
    }
    try:
        async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
            run = await find(session, request)
            key = dedup_keys.accept(session, once.request_key(fields, given), f"retry {run}", given)
            job = await retries.start(session, run, retries.RetryRequest(**given, dedup_key=key))
    except (Conflict, Invalid) as error:
        if error.field not in ("plan_id", "confirm") and not isinstance(error, Invalid):
            raise
        async with entering.showing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
            return await _refused(request, session, frame, error, ticked)
    return pages.go_to(await landing_of(request, fields, job))


async def _plan(request: Request) -> Response:
    version: Version = "original" if request.query_params.get("version") == "original" else "current"
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        run = await find(session, request)
        plan = await retries.show(session, run, None, version)
        skipped = skipped_as(await jobs.find(session, run))
    return _page(request, frame, plan, version, plan.selection, skipped=skipped)


async def _refused(
    request: Request, session: Session, frame: Frame, error: Conflict | Invalid, ticked: Sequence[str]
) -> Response:
    """The plan as it is now, with the same tasks ticked, and what stands in the way."""
    version: Version = "original" if request.query_params.get("version") == "original" else "current"
    run = await find(session, request)
    plan = await retries.show(session, run, None, version)
    saved = error.saved if isinstance(error, Overtaken) else ()
    status = 409 if isinstance(error, Conflict) else 422
    skipped = skipped_as(await jobs.find(session, run))
    more = {"skipped": skipped, "refused": error, "saved": saved, "asks": error.field == "confirm"}
    return _page(request, frame, plan, version, ticked, status, **more)


def _page(
    request: Request,
    frame: Frame,
    plan: RetryPlan,
    version: Version,
    ticked: Sequence[str],
    status: int = 200,
    **more: Any,
) -> Response:
    """`ticked` are the ids of the tasks; the plan of a form is always that with the default selection."""
    shown = {"refused": None, "saved": (), "asks": False, **more, **_parts(request)}
    return pages.page(
        request,
        "retry",
        status,
        title=f"Retry {_name(request)}",
        frame=frame,
        thing=_name(request),
        plan=plan,
        version=version,
        ticked=frozenset(ticked),
        is_large=len(plan.tasks) > FEW_TASKS,
        key=uuid4().hex,
        task_field=TASK,
        **shown,
    )


def _parts(request: Request) -> dict[str, str]:
    return {name: request.path_params[name] for name in ("project", "orchestration", "number")}


def _name(request: Request) -> str:
    return f"{request.path_params['orchestration']} #{request.path_params['number']}"
