"""All accounts, and the tokens of administrators."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import tokens
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.people import accounts as people
from orchestrator_api.web import entering, pages
from orchestrator_api.web.viewer import viewer_of

SECTION, TOPIC = "people", "people"
MOST_TOKENS = 100


async def listing(request: Request) -> Response:
    """The page; `after` is the page of the accounts."""
    async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
        part = Part(viewer_of(request).page_size, request.query_params.get("after") or None)
        (after,) = part.place(UUID)
        found = await people.listing(session, after, part.rows)
        own_tokens = await tokens.administrator_tokens(session, None, MOST_TOKENS)
    page: dict[str, Any] = part.of(found, "id")
    return pages.page(
        request,
        "people/listing",
        title="People",
        frame=frame,
        rows=page["items"],
        next=page["next"],
        is_later=part.cursor is not None,
        tokens=[each for each in own_tokens if each.revoked_at is None],
    )
