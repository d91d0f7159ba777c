"""One orchestration: everything about it, its last runs, and the buttons to run and switch it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import task_names
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import previews, views
from orchestrator_api.orchestrations.views import Shown
from orchestrator_api.queue import explanations
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.runs import jobs
from orchestrator_api.runs.filters import JobFilter
from orchestrator_api.runs.rows import Job
from orchestrator_api.schedules.times import next_fire
from orchestrator_api.web import entering, pages
from orchestrator_api.web.charts import MOST_BARS, durations_chart
from orchestrator_api.web.job_pages import TABS, JobPage, job_page
from orchestrator_api.web.notifications.words import subscribers
from orchestrator_api.web.orchestrations.about import about, find
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.starts import of_schedule, of_trigger
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_shared.domain.ids import ORCHESTRATOR

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Runs(JobPage):
    """One page of the runs, and those that the chart shows."""

    charted: Sequence[Job]


@dataclass(frozen=True, slots=True)
class StartedBy:
    """Who or what started a run."""

    icon: str
    text: str


async def orchestration(request: Request) -> Response:
    """The page; `runs` chooses the tab, `after` the page of the runs."""
    query, name = request.query_params, request.path_params["orchestration"]
    tab = query["runs"] if query.get("runs") in TABS else "all"
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await find(session, name)
        (shown,) = await views.orchestrations(session, [row])
        more = await about(session, row, shown.phases, is_editor=frame.may_configure)
        shown = replace(shown, phases=await task_names.named(session, shown.phases))
        components = {task["component"] for phase in shown.phases for task in phase["tasks"]}
        types = await previews.component_types(session, components)
        runs = await _runs(session, name, tab, query.get("after"))
        outer = await explanations.references(
            session, {run.parent_id for run in runs.listed if run.parent_id}
        )
        counts = await jobs.run_counts(session, name)
    chart = durations_chart(runs.charted, shown.usual_duration_seconds, session.now)
    return pages.page(
        request,
        "orchestration",
        title=shown.name,
        frame=frame,
        each=shown,
        about=more,
        types=types,
        runs=runs,
        tab=tab,
        tabs=TABS,
        counts={"all": counts.total, "successful": counts.successful, "failed": counts.failed},
        are_more=counts.more,
        chart=chart,
        schedules=[(each, of_schedule(each), next_fire(each, session.now)) for each in shown.schedules],
        triggers=[(each, of_trigger(each)) for each in shown.triggers],
        notified=subscribers(shown.notifications),
        started_by=_starters(shown, outer),
        at_work=AT_WORK,
        is_first_page=not query.get("after"),
    )


async def _runs(session: Session, name: str, tab: str, after: str | None) -> Runs:
    page = await job_page(session, orchestration_key(name), Part(PAGE_SIZE, after), TABS[tab][1])
    newest = JobFilter(component=ORCHESTRATOR, configuration=name, limit=MOST_BARS)
    return Runs(page.listed, page.next, (await jobs.listing(session, newest)).jobs)


def _starters(shown: Shown, outer: Mapping[UUID, JobRef]) -> object:
    """Says of a run what started it; `outer` are the runs of which runs are tasks."""
    schedules = {each.id: each.name for each in shown.schedules}
    triggers = {each.id: each.name for each in shown.triggers}

    def started_by(run: Job) -> StartedBy:
        if run.origin == "schedule":
            return StartedBy("clock", schedules.get(run.schedule_id, "a schedule"))  # type: ignore[arg-type]
        if run.origin == "trigger":
            return StartedBy("bolt", triggers.get(run.trigger_id, "a trigger"))  # type: ignore[arg-type]
        around = outer.get(run.parent_id) if run.parent_id else None
        if around is not None:
            return StartedBy("sitemap", f"{around.configuration} #{around.number}")
        icons = {"retry": "reload", "parent": "sitemap", "api": "key", "backfill": "history"}
        return StartedBy(icons.get(run.origin, "user"), run.requested_by or run.origin)

    return started_by
