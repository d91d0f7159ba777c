"""One job: that of a run or of a task leads to the page of its run; a configuration's own has a page."""

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import previews
from orchestrator_api.queue import explanations, timelines
from orchestrator_api.runs import first_error, jobs
from orchestrator_api.runs.first_error import FirstError
from orchestrator_api.runs.rows import Job, JobDetails
from orchestrator_api.web import entering, pages
from orchestrator_api.web.jobs.actions import job_of
from orchestrator_api.web.jobs.listing import SECTION
from orchestrator_api.web.runs.facts import started_by
from orchestrator_api.web.runs.log import ShownLog, Wanted, shown_log
from orchestrator_api.web.runs.words import ERROR_KINDS, headline, linked, plain
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_api.web.urls import Urls, urls_of
from orchestrator_api.web.viewer import viewer_of


async def job(request: Request) -> Response:
    """The page, or the way to the page of its run."""
    viewer = viewer_of(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        found = await jobs.find(session, job_of(request))
        elsewhere = await _page_of_run(session, urls_of(request), found)
        if elsewhere is not None:
            return pages.go_to(elsewhere)
        details = await jobs.detail(session, found.id)
        why = await explanations.explain(session, found.id, viewer.zone)
        timeline = await timelines.timeline(session, found.id) if details.accepted_at else None
        failed = await first_error.first_error(session, found.id)
        retries = await explanations.references(session, [details.retry_of] if details.retry_of else [])
        types = await previews.component_types(session, {details.component})
        log = await _log(session, request, details, failed)
        started = await started_by(session, details)
    holders = [*([why.holder] if why.holder else []), *(timeline.holders if timeline else ())]
    return pages.page(
        request,
        "jobs/job",
        title=name_of(details),
        frame=frame,
        each=details,
        said=headline(details, (), why.sentence),
        why=why,
        waits=linked(why.sentence, holders) if details.status in ("created", "waiting") else None,
        verdict=linked(timeline.verdict.sentence, holders) if timeline else None,
        found=failed,
        started_by=started,
        retry_of=retries.get(details.retry_of) if details.retry_of else None,
        types=types,
        plain=plain,
        error_kinds=ERROR_KINDS,
        is_at_work=details.status in AT_WORK,
        log=log,
        log_days=request.app.state.log_days,
        removed=_removed_at(details, request),
    )


async def _log(
    session: Session, request: Request, details: JobDetails, failed: FirstError | None
) -> ShownLog | None:
    """A script that looks for changes gets no lines: it fetches those by itself."""
    if details.started_at is None:
        return None
    wanted = Wanted.read(request.query_params)
    if pages.is_scripted(request):
        return ShownLog(details.id, {}, wanted)
    return await shown_log(
        session, details.id, {}, wanted, failed.line if failed else None, viewer_of(request)
    )


def _removed_at(details: JobDetails, request: Request) -> datetime | None:
    if details.finished_at is None:
        return None
    gone = details.finished_at + timedelta(days=request.app.state.log_days)
    return gone if gone <= viewer_of(request).now else None


async def _page_of_run(session: Session, urls: Urls, found: Job) -> str | None:
    """Where the job of a run or of a task is shown; None for any other."""
    project = session.project
    if found.is_run:
        if found.number is None:
            return None
        return urls("run", project=project, orchestration=found.configuration, number=found.number)
    if found.parent_id is None:
        return None
    parent = (await explanations.references(session, [found.parent_id])).get(found.parent_id)
    if parent is None:
        return None
    query = {"task": found.task_id}
    return urls("run", project=project, orchestration=parent.configuration, number=parent.number, query=query)


def name_of(details: JobDetails) -> str:
    """`csv-writer/orders #12`."""
    name = details.configuration if details.is_run else f"{details.component}/{details.configuration}"
    return name if details.number is None else f"{name} #{details.number}"
