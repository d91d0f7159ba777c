"""The list of configurations: by component, with what runs them and how their last job ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components, configurations, listing, usages
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.rows import ComponentUse, ConfigurationFilter
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import configuration_views
from orchestrator_api.web import entering, pages
from orchestrator_api.web.configurations.filters import PAGE_SIZE, TYPES, ListFilters
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = "configurations"
MOST_ROWS = 50
"""How many changed rows a page may ask for at once."""


async def configurations_page(request: Request) -> Response:
    """The page; for scripts also its table, and single rows that have changed."""
    component = request.path_params.get("component", "")
    filters = ListFilters.read(request.query_params, component)
    only = request.query_params.getlist("only")[:MOST_ROWS]
    is_partial = pages.is_partial(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        about: dict[str, Any] = {"frame": frame, "at_work": AT_WORK, "filters": filters}
        if only and is_partial:
            rows = await _only(session, only)
            return pages.page(request, "configurations/rows", rows=rows, **about)
        in_use = {each.id: each for each in await usages.components_in_use(session)}
        title = await _title(session, component, in_use)
        page = await _listed(session, filters)
        rows = await configuration_views.overview(session, page["items"])
    about |= {"components": in_use, "types": TYPES, "counts": _counts(in_use), "next": page["next"]}
    name = "configurations/table" if is_partial else "configurations/list"
    return pages.page(request, name, title=title, rows=rows, **about)


async def _title(session: Session, component: str, in_use: Mapping[str, ComponentUse]) -> str:
    if not component:
        return "Configurations"
    found = in_use.get(component) or await components.find(session, component)
    if found is None or component == ORCHESTRATOR:
        raise NotFound(f"there is no component {component!r}", field="component")
    return found.name


async def _listed(session: Session, filters: ListFilters) -> dict[str, Any]:
    wanted = ConfigurationFilter(filters.component or None, filters.q or None, type=filters.type or None)
    part = Part(PAGE_SIZE, filters.after or None).sorted_by("name", default="id")
    part, found = await listing.page(session, wanted, part)
    return listing.shown_page(part, found)


async def _only(session: Session, wanted: Sequence[str]) -> list[configuration_views.ListedConfiguration]:
    """These configurations; one that is gone by now is left out."""
    keys = [Key(component, name) for component, _, name in (each.partition("/") for each in wanted)]
    found = [await configurations.find(session, key) for key in keys if key.component != ORCHESTRATOR]
    there = [row for row in found if row is not None and row.deleted_at is None]
    return await configuration_views.overview(session, there)


def _counts(in_use: Mapping[str, ComponentUse]) -> Mapping[str, int]:
    """How many configurations there are of each type."""
    found: Counter[str] = Counter()
    for each in in_use.values():
        found[each.type] += each.configurations
    return found
