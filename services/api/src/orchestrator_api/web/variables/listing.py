"""The variables of a project: names and values, those of secrets never."""

from bisect import bisect_right

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.projects import variables
from orchestrator_api.web import entering, pages
from orchestrator_api.web.viewer import viewer_of

SECTION, TOPIC = "variables", "variables"
MOST_CHARACTERS = 200


async def listing(request: Request) -> Response:
    """The page; `q` searches names, `after` is the last name of the page before."""
    query = request.query_params
    search = query.get("q", "").strip()[:MOST_CHARACTERS]
    after = query.get("after", "")
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        stored = await variables.readable(session)
    found = [variables.shown(each) for each in stored if search.lower() in each.name]
    start = bisect_right([each.name for each in found], after) if after else 0
    rows = found[start : start + viewer_of(request).page_size]
    has_more = start + len(rows) < len(found)
    return pages.page(
        request,
        "variables/listing",
        title="Variables",
        frame=frame,
        rows=rows,
        next=rows[-1].name if has_more else None,
        is_later=start > 0,
        q=search,
    )
