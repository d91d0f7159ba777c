"""Pages of configurations, in the order asked for."""

from collections.abc import Sequence
from typing import Any

from orchestrator_api.catalog.rows import Configuration, ConfigurationFilter, ListedKey
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session


async def page(
    session: Session, wanted: ConfigurationFilter, paging: Part
) -> tuple[Part, list[Configuration]]:
    """One page of the configurations."""
    store = ConfigurationStore(session.connection)
    keys = await _listed_keys(store, session.project, wanted, paging)
    part = paging.within([key.size for key in keys])
    return part, await store.listed(project=session.project, keys=keys[: part.rows])


async def _listed_keys(
    store: ConfigurationStore, project: str, wanted: ConfigurationFilter, paging: Part
) -> list[ListedKey]:
    backwards = paging.sort.startswith("-")
    if paging.sort.removeprefix("-") == "id":
        component, after = paging.place(str, str)
        return await store.configurations_by_id(
            project=project,
            wanted=wanted,
            after_component=component,
            after=after,
            limit=paging.rows,
            backwards=backwards,
        )
    component, name, after = paging.place(str, str, str)
    return await store.configurations_by_name(
        project=project,
        wanted=wanted,
        after_component=component,
        after_name=name,
        after=after,
        limit=paging.rows,
        backwards=backwards,
    )


def shown_page(part: Part, shown: Sequence[Configuration]) -> dict[str, Any]:
    """The page with these configurations."""
    by_id = part.sort.removeprefix("-") == "id"
    return part.of(shown, "component", "id") if by_id else part.of(shown, "component", "name", "id")
