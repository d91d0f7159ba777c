"""The overview of a project's configurations: of which components they are, and how they are used."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import listing, usages
from orchestrator_api.catalog.models import OfType, Sort
from orchestrator_api.catalog.rows import ConfigurationFilter
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging, Search
from orchestrator_api.orchestrations import configuration_views
from orchestrator_api.orchestrations.configuration_models import (
    ConfigurationCountsOut,
    ListedConfigurationOut,
)

router = APIRouter(prefix=PREFIX, tags=["configurations"], route_class=GatedRoute)


@router.get("/configuration-counts", operation_id="count_configurations", responses=READ)
async def count_configurations(call: Call, project: Project) -> ConfigurationCountsOut:
    """Count the configurations of each component that has some in the project."""
    async with call.session(Scope.READ, project) as session:
        found = await usages.components_in_use(session)
    total = sum(each.configurations for each in found)
    return ConfigurationCountsOut.model_validate({"total": total, "components": found})


@router.get("/configuration-overview", operation_id="list_configuration_overview", responses=READ)
async def list_configuration_overview(
    call: Call,
    project: Project,
    paging: Paging,
    component: Annotated[str | None, Query(max_length=64)] = None,
    search: Search = None,
    kind: OfType = None,
    sort: Sort = "id",
) -> Page[ListedConfigurationOut]:
    """List configurations with how many orchestrations run each and its last job, without their parameters.

    Filters and order are those of the list of configurations.
    """
    async with call.session(Scope.READ, project) as session:
        wanted = ConfigurationFilter(component, search, type=kind)
        part, found = await listing.page(session, wanted, paging.sorted_by(sort, default="id"))
        page: dict[str, Any] = listing.shown_page(part, found)
        page["items"] = await configuration_views.overview(session, page["items"])
    return Page[ListedConfigurationOut].model_validate(page)
