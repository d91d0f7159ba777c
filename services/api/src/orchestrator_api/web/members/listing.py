"""The members of a project, and who gave them their roles."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.people import members
from orchestrator_api.web import accounts, entering, pages
from orchestrator_api.web.members.words import ROLES, choice_of
from orchestrator_api.web.viewer import viewer_of

SECTION, TOPIC = "members", "members"


async def listing(request: Request) -> Response:
    """The page; `after` is the page of the list."""
    async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
        part = Part(viewer_of(request).page_size, request.query_params.get("after") or None)
        (after,) = part.place(UUID)
        found = await members.listing(session, after, part.rows)
        last_admin = await members.last_admin(session)
    page: dict[str, Any] = part.of(found, "person_id")
    return pages.page(
        request,
        "members/listing",
        title="Members",
        frame=frame,
        rows=[(each, ROLES[choice_of(each)]) for each in page["items"]],
        next=page["next"],
        is_later=part.cursor is not None,
        last_admin=last_admin,
        provider=provider_name(request),
    )


def provider_name(request: Request) -> str:
    """What the identity provider is called."""
    desk = accounts.desk_of(request)
    return desk.provider.settings.name if desk.provider else "the identity provider"
