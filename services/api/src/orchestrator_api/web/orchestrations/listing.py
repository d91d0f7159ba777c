"""The list of orchestrations: is everything all right, and what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, listing
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.rows import ConfigurationFilter, LabelInUse
from orchestrator_api.definitions import demo
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import attention, views
from orchestrator_api.orchestrations.attention import Found
from orchestrator_api.orchestrations.filters import Count, capped, statuses_of
from orchestrator_api.orchestrations.nearest import nearest
from orchestrator_api.orchestrations.views import Shown
from orchestrator_api.web import entering, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.filters import ListFilters
from orchestrator_api.web.starts import starts_of
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_api.web.viewer import viewer_of
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = "orchestrations"
RECENT = 20
MOST_ATTENTION = 5
MOST_ROWS = 50
"""How many changed rows a page may ask for at once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list."""

    rows: Sequence[Shown]
    next: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What stands around the table: counts for the chips, labels, and what needs attention."""

    counts: Mapping[str, Count]
    labels: Sequence[LabelInUse]
    attention: Found


async def orchestrations(request: Request) -> Response:
    """The page; for scripts also its table, what stands around it, and single rows that have changed."""
    filters = ListFilters.read(request.query_params)
    only = request.query_params.getlist("only")[:MOST_ROWS]
    is_partial = pages.is_partial(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        if only and is_partial:
            return pages.page(
                request, "parts/orchestration_rows", **_shown(frame, await _rows(session, only))
            )
        viewer = viewer_of(request)
        overview = await _overview(session, filters, viewer.zone)
        about: dict[str, Any] = {"filters": filters, "overview": overview, "counts": overview.counts}
        if is_partial and "overview" in request.query_params:
            return pages.page(request, "parts/orchestration_overview", frame=frame, **about)
        size = filters.page_size or viewer.page_size
        listed = await _listed(session, filters, size)
        is_nothing = not (listed.rows or filters.is_filtered or filters.after)
        is_blank = is_nothing and await demo.is_possible(session)
        meant = await nearest(session, filters.q) if filters.q and not listed.rows else None
    name = "parts/orchestration_list" if is_partial else "orchestrations"
    about |= {"next": listed.next, "size": size, "title": "Orchestrations"}
    about |= {"is_blank": is_blank, "nearest": meant}
    return pages.page(request, name, **_shown(frame, listed.rows), **about)


async def _overview(session: Session, filters: ListFilters, zone: ZoneInfo) -> Overview:
    labels = (filters.label,) if filters.label else None
    counts = capped(await listing.counts(session, filters.q or None, labels))
    in_use = await listing.labels_in_use(session)
    return Overview(counts, in_use, await attention.find(session, MOST_ATTENTION, zone))


async def _listed(session: Session, filters: ListFilters, size: int) -> Listed:
    part = Part(size, filters.after or None).sorted_by(filters.sort, default="id")
    wanted = ConfigurationFilter(
        ORCHESTRATOR,
        filters.q or None,
        filters.is_enabled,
        (filters.label,) if filters.label else None,
        filters.starts or None,
        statuses_of(filters.statuses),
    )
    part, found = await listing.page(session, wanted, part)
    page: dict[str, Any] = listing.shown_page(part, found)
    rows = await views.orchestrations(session, page["items"], with_tables=False, recent=RECENT)
    return Listed(rows, page["next"])


async def _rows(session: Session, ids: Sequence[str]) -> list[Shown]:
    """These orchestrations; one that is gone by now is left out."""
    found = [await configurations.find(session, orchestration_key(each)) for each in ids]
    there = [row for row in found if row is not None and row.deleted_at is None]
    return await views.orchestrations(session, there, with_tables=False, recent=RECENT)


def _shown(frame: Frame, rows: Sequence[Shown]) -> dict[str, Any]:
    starts = {row.id: starts_of(row.schedules, row.triggers) for row in rows}
    shown = {"frame": frame, "rows": rows, "starts": starts}
    return {**shown, "at_work": AT_WORK}
