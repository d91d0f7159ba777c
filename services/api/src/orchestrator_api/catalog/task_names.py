"""The names of the configurations that tasks run, for tasks without a name of their own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator_api.catalog import configurations
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.task_names import Names, task_name


async def names_of(session: Session, keys: Iterable[tuple[str, str]]) -> Names:
    """Those of the configurations that exist, by component and id."""
    return {(each.component, each.id): each.name for each in await configurations.existing(session, keys)}


async def named(session: Session, phases: Sequence[Mapping[str, Any]]) -> list[JsonObject]:
    """The phases in which each task has the name that people read."""
    tasks = [task for phase in phases for task in phase["tasks"]]
    return with_names(phases, await names_of(session, {(t["component"], t["configuration"]) for t in tasks}))


def with_names(phases: Sequence[Mapping[str, Any]], names: Names) -> list[JsonObject]:
    """The same, with names that are known."""
    return [
        {**phase, "tasks": [{**task, "name": task_name(task, names)} for task in phase["tasks"]]}
        for phase in phases
    ]
