"""One run: what happened, why, what it waited for, and the log of a task."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import previews
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_api.queue import explanations, timelines
from orchestrator_api.queue.explanations import JobExplanation
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timelines import Timeline
from orchestrator_api.runs import first_error, jobs
from orchestrator_api.runs.first_error import FirstError
from orchestrator_api.runs.rows import JobDetails
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web import entering, pages
from orchestrator_api.web.address_parts import id_part, whole_number
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.runs.facts import Facts, facts_of
from orchestrator_api.web.runs.log import ShownLog, Wanted, part_from, shown_log
from orchestrator_api.web.runs.rows import rows_of
from orchestrator_api.web.runs.timeline import drawn
from orchestrator_api.web.runs.words import (
    ERROR_KINDS,
    chosen,
    headline,
    linked,
    plain,
    skipped_as,
    status_of,
)
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_api.web.viewer import Viewer, viewer_of
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR

MAX_TASK: Final = 500
"""Characters of a task's id."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page tells of a run."""

    run: JobDetails
    phases: Sequence[RunPhase]
    timeline: Timeline
    why: JobExplanation
    failed: FirstError | None
    others: Sequence[RunTask]
    """The other tasks that failed."""
    retry_of: JobRef | None
    facts: Facts
    current: CurrentVersion | None
    """The orchestration as it is now; None if it was deleted."""


async def find(session: Session, request: Request) -> UUID:
    """The id of the run at this address; raises NotFound."""
    name, text = request.path_params["orchestration"], request.path_params["number"]
    number = whole_number(text)
    if number is None:
        raise NotFound(f"there is no run {text!r} of {name} in this project", field="number")
    return await jobs.numbered(session, name, number)


def removed_at(task: RunTask | None, now: datetime, days: int) -> datetime | None:
    """When the log of a job that ended long ago was removed; None if it is still kept."""
    ended = task.job.finished_at if task and task.job else None
    gone = ended + timedelta(days=days) if ended else None
    return gone if gone is not None and gone <= now else None


async def run(request: Request) -> Response:
    """The page; `task` chooses the log, `line`, `from` and `log=end` the part of it."""
    viewer, query = viewer_of(request), request.query_params
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        shown = await _shown(session, await find(session, request), viewer)
        task = chosen(shown.phases, query.get("task"), shown.failed)
        log = await _log(session, request, task, shown.failed)
        components = {each.component for phase in shown.phases for each in phase.tasks}
        types = await previews.component_types(session, components)
    each, timeline = shown.run, shown.timeline
    holders = [*timeline.holders, *([shown.why.holder] if shown.why.holder else [])]
    many = sum(len(phase.tasks) for phase in shown.phases) > FEW_TASKS
    return pages.page(
        request,
        "run",
        is_large=many,
        later=lambda: {
            "said": headline(each, shown.phases, shown.why.sentence),
            "drawn": drawn(
                timeline,
                shown.phases,
                session.now,
                viewer.zone,
                expected_end=each.expected_end,
                skipped=skipped_as(each),
            ),
            "begun": [every for phase in shown.phases for every in phase.tasks if every.job is not None],
        },
        title=f"{each.configuration} #{each.number}",
        frame=frame,
        each=each,
        shown=shown,
        waits=linked(shown.why.sentence, holders) if each.status in ("created", "waiting") else None,
        verdict=linked(timeline.verdict.sentence, holders),
        facts=shown.facts,
        is_list=query.get("view") == "list",
        types=types,
        request_task=query.get("task", ""),
        task=task,
        log=log,
        log_days=request.app.state.log_days,
        removed=removed_at(task, viewer.now, request.app.state.log_days),
        plain=plain,
        rows_of=rows_of,
        have=pages.shown_parts(request),
        status_of=status_of,
        error_kinds=ERROR_KINDS,
        is_at_work=each.status in AT_WORK,
    )


async def log_part(request: Request) -> Response:
    """Lines of a job's log from one on, to the end of their block: scripts fetch what a page has left out."""
    query = request.query_params
    keep = {"task": task} if (task := query.get("task", "")[:MAX_TASK]) else {}
    async with entering.reading(request, Scope.READ) as (session, _):
        job = id_part(request, "job", "there is no job {!r} in this project")
        log = await part_from(session, job, keep, Wanted.read(query), viewer_of(request))
    return pages.page(request, "logs/part", log=log, removed=None)


async def _log(
    session: Session, request: Request, task: RunTask | None, failed: FirstError | None
) -> ShownLog | None:
    """A script that looks for changes gets no lines: it fetches those by itself."""
    if task is None or task.job is None:
        return None
    job, keep, wanted = task.job.id, {"task": task.id}, Wanted.read(request.query_params)
    if pages.is_scripted(request):
        return ShownLog(job, keep, wanted)
    if failed is None or failed.failure.id != job:
        failed = await first_error.first_error(session, job) if status_of(task) == "error" else None
    error = failed.line if failed is not None and failed.failure.id == job else None
    return await shown_log(session, job, keep, wanted, error, viewer_of(request))


async def _shown(session: Session, run_id: UUID, viewer: Viewer) -> Shown:
    details = await jobs.detail(session, run_id)
    phases = await jobs.tasks(session, run_id)
    failed = await first_error.first_error(session, run_id)
    retried = details.retry_of
    own = await configurations.existing(session, [(ORCHESTRATOR, details.configuration)])
    return Shown(
        run=details,
        phases=phases,
        timeline=await timelines.timeline(session, run_id, phases),
        why=await explanations.explain(session, run_id, viewer.zone),
        failed=failed,
        others=_others(phases, await _failed_first(session, run_id, failed)),
        retry_of=(await explanations.references(session, [retried])).get(retried) if retried else None,
        facts=await facts_of(session, details),
        current=own[0] if own else None,
    )


async def _failed_first(session: Session, run_id: UUID, failed: FirstError | None) -> set[UUID]:
    """The job that failed first, and the nested runs that failed because of it."""
    if failed is None:
        return set()
    found, around = {failed.failure.id}, failed.failure.run_id
    while around is not None and around != run_id:
        found.add(around)
        around = (await jobs.find(session, around)).parent_id
    return found


def _others(phases: Sequence[RunPhase], first: Collection[UUID]) -> list[RunTask]:
    tasks = [task for phase in phases for task in phase.tasks]
    return [task for task in tasks if status_of(task) == "error" and task.job and task.job.id not in first]
