"""What a task is called: by its own name, or else by the name of the configuration that it runs."""

from collections.abc import Mapping
from typing import Any

from orchestrator_shared.definitions.orchestration import Task

Names = Mapping[tuple[str, str], str]
"""Of configurations, by component and id."""


def has_own_name(name: str, task: str, component: str, configuration: str) -> bool:
    """Whether somebody named it: without a name, a task is stored under its id."""
    return name not in ("", task, f"{component}/{configuration}")


def task_name(task: Mapping[str, Any], names: Names) -> str:
    """Its own name, else that of its configuration; its id if the configuration does not exist."""
    return _name(task.get("name") or "", task["id"], task["component"], task["configuration"], names)


def name_of(task: Task, names: Names) -> str:
    """The same of a parsed task."""
    return _name(task.name, task.id, task.component, task.configuration, names)


def _name(name: str, task: str, component: str, configuration: str, names: Names) -> str:
    if has_own_name(name, task, component, configuration):
        return name
    return names.get((component, configuration), name or task)
