"""Search or do…: what was found, as options of the field in the top bar, or as a page."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.runs import jobs
from orchestrator_api.search import service
from orchestrator_api.web import entering, pages, visited
from orchestrator_api.web.search.results import Results, typed
from orchestrator_api.web.urls import urls_of

LONGEST = 200
EACH = 5


async def search(request: Request) -> Response:
    """With an empty field what was visited last, and all pages."""
    text = " ".join(request.query_params.get("q", "")[:LONGEST].split())
    verb, rest = typed(text)
    async with entering.reading(request, Scope.READ) as (session, frame):
        found = await service.search(session, rest, EACH) if rest else service.Found()
        names = [each.id for each in found.orchestrations]
        last = await jobs.last_runs(session, names) if names else {}
    assert frame.project is not None
    results = Results(urls_of(request), frame.project.id, frame.may_run)
    if text:
        groups = results.groups(verb, rest, found, {name: runs[0] for name, runs in last.items()})
        sections = [section for _, each in frame.groups for section in each]
        groups += results.pages(sections, rest)
    else:
        groups = results.visited(visited.recent(request, frame.project.id))
        groups += results.pages([section for _, each in frame.groups for section in each], "")
    template = "search/options" if pages.is_scripted(request) else "search/page"
    shown = [group for group in groups if group.options]
    return pages.page(request, template, title="Search", frame=frame, groups=shown, text=text)
