"""One configuration: its parameters read as a form and as JSON, its jobs, and what runs it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import usages
from orchestrator_api.http.paging import Part
from orchestrator_api.web import entering, pages
from orchestrator_api.web.configurations.fields import form_of
from orchestrator_api.web.configurations.head import head_of, key_of, topic_of
from orchestrator_api.web.configurations.json_view import parts_of
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.configurations.sent import shown_json
from orchestrator_api.web.job_pages import TABS, job_page
from orchestrator_api.web.statuses import AT_WORK

PAGE_SIZE, LAST, MOST_USES = 50, 5, 100

FEW_FIELDS = 100
"""Forms with more are made in a thread."""


async def configuration(request: Request) -> Response:
    """The parameters, with what runs the configuration and its last jobs beside them."""
    key = key_of(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        head = await head_of(session, key)
        used = [] if head.is_trashed else await usages.listing(session, key, (None, None), MOST_USES)
        last = await job_page(session, key, Part(LAST), None)
    parameters = {} if head.is_trashed else head.row.parameters
    return pages.page(
        request,
        "configurations/parameters",
        is_large=len(head.schema.get("properties", ())) > FEW_FIELDS,
        later=lambda: {"form": form_of(head.schema, parameters), "json": parts_of(shown_json(parameters))},
        title=head.row.name,
        frame=frame,
        head=head,
        tab="configuration",
        topic=topic_of(key),
        used=used,
        last=last.listed,
        at_work=AT_WORK,
    )


async def configuration_jobs(request: Request) -> Response:
    """Its jobs, newest first; `status` chooses which, `after` the page."""
    key, query = key_of(request), request.query_params
    chosen = query["status"] if query.get("status") in TABS else "all"
    part = Part(PAGE_SIZE, query.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        head = await head_of(session, key)
        found = await job_page(session, key, part, TABS[chosen][1])
    return pages.page(
        request,
        "configurations/jobs",
        title=head.row.name,
        frame=frame,
        head=head,
        tab="configuration_jobs",
        topic=topic_of(key),
        jobs=found,
        chosen=chosen,
        filters=TABS,
        at_work=AT_WORK,
        is_first_page=not query.get("after"),
    )
