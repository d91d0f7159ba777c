"""What is spoken after an operation, and what the focus goes to. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator_api.web.tasks.asked import Operations, place_of
from orchestrator_api.web.tasks.board import Phases, TaskLike, shown_name
from orchestrator_api.web.words import counted
from orchestrator_shared.definitions.task_names import Names

Given = Mapping[str, Any]


def said(
    operations: Operations, before: Phases, after: Phases, names: Names | None = None
) -> tuple[str, str]:
    """One sentence about what was done, and the id of the element that the focus goes to, if to another.

    `names` are those of the configurations of tasks that are no longer there.
    """
    if not operations:
        return "Nothing to move it to: the board ends here.", ""
    operation = operations[0]
    match operation["operation"]:
        case "move_tasks" | "duplicate_task" | "set_tasks" | "add_tasks" | "remove_tasks":
            return _about_tasks(operation, before, after, names or {})
        case "group_by_type":
            return f"Tasks grouped by component type, in {counted(len(after), 'phase')}.", ""
        case "one_task_per_phase":
            return f"One task per phase: {counted(len(after), 'phase')}.", ""
        case _:
            return _about_phases(operation, before, after)


def gone(operations: Operations, before: Phases) -> list[TaskLike]:
    """The tasks that are removed and said by name."""
    if not operations or operations[0]["operation"] != "remove_tasks" or len(operations[0]["tasks"]) > 1:
        return []
    return [task for phase in before for task in phase.tasks if task.id in operations[0]["tasks"]]


def _about_tasks(operation: Given, before: Phases, after: Phases, names: Names) -> tuple[str, str]:
    match operation["operation"]:
        case "move_tasks":
            return _moved(operation["tasks"], after)
        case "duplicate_task":
            (copy,) = _ids(after) - _ids(before)
            return f"{_name(after, copy)} duplicated, {_where(after, copy)}.", f"grip-{copy}"
        case "add_tasks":
            return f"{counted(len(operation['tasks']), 'task')} added.", ""
        case "remove_tasks":
            return _removed(operation["tasks"], before, after, names)
        case _:
            return _set(operation, after)


def _moved(tasks: Sequence[str], after: Phases) -> tuple[str, str]:
    if len(tasks) == 1:
        return f"{_name(after, tasks[0])} moved to {_where(after, tasks[0])}.", f"grip-{tasks[0]}"
    phase, _ = place_of(after, tasks[0])
    return f"{counted(len(tasks), 'task')} moved to phase {phase + 1}, {after[phase].name}.", ""


def _where(phases: Phases, task: str) -> str:
    """`phase 3, Write, 2 of 3`."""
    phase, place = place_of(phases, task)
    return f"phase {phase + 1}, {phases[phase].name}, {place + 1} of {len(phases[phase].tasks)}"


def _removed(tasks: Sequence[str], before: Phases, after: Phases, names: Names) -> tuple[str, str]:
    if len(tasks) > 1:
        return f"{counted(len(tasks), 'task')} removed.", ""
    order, left = [task.id for phase in before for task in phase.tasks], _ids(after)
    place = order.index(tasks[0])
    beside = [each for each in (*order[place + 1 :], *reversed(order[:place])) if each in left]
    return f"{_name(before, tasks[0], names)} removed.", f"grip-{beside[0]}" if beside else "add"


def _set(operation: Given, after: Phases) -> tuple[str, str]:
    names = [_name(after, task) for task in operation["tasks"]]
    name = names[0] if len(names) == 1 else counted(len(names), "task")
    values = operation["values"]
    if list(values) != ["enabled"]:
        return f"Settings of {name} changed.", ""
    return f"{name} is {'active' if values['enabled'] else 'inactive'}.", ""


def _about_phases(operation: Given, before: Phases, after: Phases) -> tuple[str, str]:
    match operation["operation"]:
        case "rename_phase":
            return f"Phase {operation['phase'] + 1} is called {operation['name']}.", ""
        case "move_phase":
            at = operation["before"] if "before" in operation else operation["after"]
            return f"Phase {after[at].name} moved, {at + 1} of {len(after)}.", f"grip-p{at}"
        case "merge_phases":
            first = min(operation["phases"])
            merged = after[first]
            return (
                f"Phases merged into {merged.name}: {counted(len(merged.tasks), 'task')}.",
                f"grip-p{first}",
            )
        case "add_phase":
            return f"{operation['name']} added, empty. Empty phases are not saved.", f"grip-p{len(after) - 1}"
        case _:
            gone = before[operation["phase"]]
            focus = f"grip-p{min(operation['phase'], len(after) - 1)}" if after else "add"
            return f"Phase {gone.name} removed, with {counted(len(gone.tasks), 'task')}.", focus


def _ids(phases: Phases) -> set[str]:
    return {task.id for phase in phases for task in phase.tasks}


def _name(phases: Phases, task: str, names: Names | None = None) -> str:
    phase, place = place_of(phases, task)
    return shown_name(phases[phase].tasks[place], names)
