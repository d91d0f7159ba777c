"""The tokens of a project: what programs may do, and when they last did it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import tokens
from orchestrator_api.access.permissions import OF_ORCHESTRATION, Scope
from orchestrator_api.access.rows import TokenFilter
from orchestrator_api.http.paging import Part
from orchestrator_api.web import entering, pages
from orchestrator_api.web.tokens import words
from orchestrator_api.web.viewer import viewer_of

SECTION, TOPIC = "tokens", "tokens"
MOST_CHARACTERS = 200
SHOWN: Mapping[str, tuple[str, TokenFilter]] = {
    "": ("For programs", TokenFilter(revoked=False, kind="api")),
    "orchestrations": ("Of orchestrations", TokenFilter(revoked=False, kind="orchestration")),
    "revoked": ("Revoked", TokenFilter(revoked=True)),
}


async def listing(request: Request) -> Response:
    """The page; `show` chooses which, `q` searches, `after` is the page."""
    query = request.query_params
    show = query.get("show", "") if query.get("show") in SHOWN else ""
    search = query.get("q", "").strip()[:MOST_CHARACTERS]
    async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
        part = Part(viewer_of(request).page_size, query.get("after") or None)
        (after,) = part.place(UUID)
        wanted = replace(SHOWN[show][1], search=search or None)
        found = await tokens.listing(session, wanted, after, part.rows)
        now = session.now
    page: dict[str, Any] = part.of(found, "id")
    rows = [
        (each, words.may(each), each.expires_at is not None and each.expires_at <= now)
        for each in page["items"]
    ]
    return pages.page(
        request,
        "tokens/listing",
        title="Tokens",
        frame=frame,
        rows=rows,
        next=page["next"],
        is_later=part.cursor is not None,
        show=show,
        q=search,
        tabs=[(value, label) for value, (label, _) in SHOWN.items()],
        orchestration_of=_orchestration_of,
    )


def _orchestration_of(name: str) -> str:
    """Whose own token it is."""
    return name.removeprefix(OF_ORCHESTRATION)
