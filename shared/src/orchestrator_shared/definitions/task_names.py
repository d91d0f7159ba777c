"""What a task is called: by its own name, or else by the name of the configuration that it runs."""

from collections.abc import Mapping
from typing import Any

Names = Mapping[tuple[str, str], str]
"""Of configurations, by component and id."""


def has_own_name(name: str, task: str, component: str, configuration: str) -> bool:
    """Whether somebody named it: without a name, a task is stored under its id."""
    return name not in ("", task, f"{component}/{configuration}")


def task_name(task: Mapping[str, Any], names: Names) -> str:
    """Its own name, else that of its configuration; its id if the configuration does not exist."""
    name, component, configuration = task.get("name") or "", task["component"], task["configuration"]
    if has_own_name(name, task["id"], component, configuration):
        return name
    return names.get((component, configuration), name or task["id"])
