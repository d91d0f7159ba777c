"""What was deleted: by whom and when, back again or gone for good."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import trash as catalog_trash
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.paging import Part
from orchestrator_api.orchestrations import previews
from orchestrator_api.orchestrations import trash as orchestration_trash
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = TOPIC = "trash"
PAGE_SIZE = 50


async def trash(request: Request) -> Response:
    """The page, the most recently deleted first."""
    after = request.query_params.get("after")
    part = Part(PAGE_SIZE, after)
    before = part.place(datetime, str)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        found = await catalog_trash.listing(session, before, part.rows)
        types = await previews.component_types(session, {each.component for each in found})
    page = part.of(found, "deleted_at", "key")
    return pages.page(
        request,
        "trash/page",
        title="Trash",
        frame=frame,
        rows=page["items"],
        next=page["next"],
        types=types,
        is_first_page=not after,
        may_purge=frame.actor.may(Scope.ADMINISTER),
        orchestrator=ORCHESTRATOR,
    )


async def restore(request: Request) -> Response:
    """As it was, at once."""
    fields, key = await entering.sent(request), _key(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        found = await orchestration_trash.restore(session, key)
    topics = [TOPIC, "orchestrations", f"orchestration:{key.id}"]
    return answers.done(request, frame, fields, f"{found.name} is back.", *topics)


async def purge(request: Request) -> Response:
    """Asks first: it cannot be undone."""
    key = _key(request)
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            found = await catalog_trash.load(session, key)
        return pages.dialog(
            request,
            "trash/purge",
            title=f"Delete {found.name}?",
            frame=frame,
            back=urls_of(request)("trash", project=request.path_params["project"]),
            row=found,
            may_purge=frame.actor.may(Scope.ADMINISTER),
        )
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
        name = (await catalog_trash.load(session, key)).name
        await orchestration_trash.purge(session, key)
        return answers.done(request, frame, fields, f"{name} is deleted for good.", TOPIC)


def _key(request: Request) -> Key:
    return Key(request.path_params["component"], request.path_params["configuration"])
