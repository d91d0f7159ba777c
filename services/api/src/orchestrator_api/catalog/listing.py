"""Pages of configurations, in the order asked for."""

from collections.abc import Collection, Sequence
from typing import Any

from orchestrator_api.catalog.rows import (
    Configuration,
    ConfigurationFilter,
    LabelInUse,
    ListedKey,
    OrchestrationCounts,
)
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session

MOST_COUNTED = 10_000
"""As many orchestrations are looked at to count them."""
MOST_LABELS = 100


async def page(
    session: Session, wanted: ConfigurationFilter, paging: Part
) -> tuple[Part, list[Configuration]]:
    """One page of the configurations."""
    store = ConfigurationStore(session.connection)
    keys = await _listed_keys(store, session.project, wanted, paging)
    part = paging.within([key.size for key in keys])
    return part, await store.listed(project=session.project, keys=keys[: part.rows])


async def counts(session: Session, search: str | None, labels: Collection[str] | None) -> OrchestrationCounts:
    """How many orchestrations each filter shows, as far as they are looked at."""
    return await ConfigurationStore(session.connection).counts_of_orchestrations(
        project=session.project, search=search, labels=labels, looked=MOST_COUNTED
    )


async def labels_in_use(session: Session) -> list[LabelInUse]:
    """The labels of the project's orchestrations, those of most of them first."""
    return await ConfigurationStore(session.connection).labels_in_use(
        project=session.project, limit=MOST_LABELS
    )


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
