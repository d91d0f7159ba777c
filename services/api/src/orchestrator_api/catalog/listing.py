"""Pages of configurations, in the order asked for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypedDict

from orchestrator_api.catalog.rows import (
    Configuration,
    ConfigurationFilter,
    LabelInUse,
    ListedKey,
    ListedStart,
    OrchestrationCounts,
)
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session

MOST_COUNTED = 10_000
"""As many orchestrations are looked at to count them."""
MOST_LABELS = 100
NEXT_FIRE = "next_fire"
"""The order of orchestrations in which no column of theirs says where the next page begins."""


class _Common(TypedDict):
    """What the statements of all orders are given."""

    project: str
    wanted: ConfigurationFilter
    limit: int
    backwards: bool


async def page(
    session: Session, wanted: ConfigurationFilter, paging: Part
) -> tuple[Part, list[Configuration]]:
    """One page of the configurations."""
    store = ConfigurationStore(session.connection)
    keys = await _listed_keys(store, session.project, wanted, paging)
    part = paging.within([key.size for key in keys])
    if paging.sort == NEXT_FIRE and len(keys) > part.limit:
        part = part.ending_at(*_start_of(keys[part.limit - 1]))
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
) -> Sequence[ListedKey]:
    common: _Common = {
        "project": project,
        "wanted": wanted,
        "limit": paging.rows,
        "backwards": paging.sort.startswith("-"),
    }
    match _order(paging):
        case "next_fire":
            fire, after = paging.place(datetime, str)
            return await store.orchestrations_by_next_fire(
                project=project, wanted=wanted, after_fire=fire, after=after, limit=paging.rows
            )
        case "id":
            component, after = paging.place(str, str)
            return await store.listed_keys("id", **common, after=_place(component, after))
        case "name":
            component, name, after = paging.place(str, str, str)
            return await store.listed_keys("name", **common, after=_place(component, after, after_name=name))
        case _:
            component, at, after = paging.place(str, datetime, str)
            return await store.listed_keys(
                "update", **common, after=_place(component, after, after_update=at)
            )


def _place(
    component: str | None, after: str | None, **more: str | datetime | None
) -> dict[str, str | datetime | None]:
    return {"after_component": component, "after": after, **more}


def _start_of(key: ListedKey) -> tuple[datetime, str]:
    assert isinstance(key, ListedStart)
    return key.next_fire, key.id


def _order(paging: Part) -> str:
    return paging.sort.removeprefix("-")


def shown_page(part: Part, shown: Sequence[Configuration]) -> dict[str, Any]:
    """The page with these configurations."""
    order = _order(part)
    return part.of(shown, "component", *(() if order in ("id", NEXT_FIRE) else (order,)), "id")
