"""What a form of the board asks for: operations on the draft. Pure.

Each button of the board sends one field: its name says what to do, its value with what (`remove` with a task,
`phase_up` with the index of a phase).
"""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks.board import Phases
from orchestrator_shared.definitions.arranging import MIXED
from orchestrator_shared.domain.errors import UserError

Operations = list[dict[str, Any]]
TASK, PHASE = "task:", "phase:"
"""Before the names of the boxes in which tasks and phases are ticked."""
NEW = "new"
"""The choice of a phase that is not there yet."""
NOTHING_TICKED = "tick at least one task"


def operations(fields: Fields, phases: Phases) -> Operations:
    """The operations that the form asks for; none if there is nothing to do. Raises UserError."""
    for name, read in _READ.items():
        if name in fields:
            return read(fields, phases)
    raise UserError("this form asks for nothing that can be done with tasks", field="operation")


def ticked(fields: Fields, prefix: str = TASK) -> list[str]:
    """What is ticked, in the order of the board."""
    return [name.removeprefix(prefix) for name in fields if name.startswith(prefix)]


def target(fields: Fields) -> dict[str, Any]:
    """Where tasks go: a name that was typed, or the chosen phase, or a new one at the end."""
    name = fields["name"].strip()
    if name:
        return {"to": name}
    return {} if fields["to"] in ("", NEW) else {"to": _index(fields["to"], "to")}


def place_of(phases: Phases, task: str) -> tuple[int, int]:
    """The phase of a task, and its place there."""
    for p, phase in enumerate(phases):
        for t, each in enumerate(phase.tasks):
            if each.id == task:
                return p, t
    raise UserError(f"there is no task {task!r} on the board any more", field="task")


def _index(text: str, field: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise UserError("choose a phase of the board", field=field)
    return int(text)


def _move(fields: Fields, phases: Phases) -> Operations:
    place_of(phases, fields["move"])
    if not fields["to"] and not fields["name"].strip():
        raise UserError("choose a phase, or type the name of a new one", field="to")
    at = {"at": _index(fields["at"], "at")} if fields["at"] else {}
    return [{"operation": "move_tasks", "tasks": [fields["move"]], **target(fields), **at}]


def _step(name: str, by: int) -> Callable[[Fields, Phases], Operations]:
    """To the phase before or after."""

    def read(fields: Fields, phases: Phases) -> Operations:
        place = place_of(phases, fields[name])[0] + by
        if not 0 <= place < len(phases):
            return []
        return [{"operation": "move_tasks", "tasks": [fields[name]], "to": place}]

    return read


def _new_phase(name: str, where: str) -> Callable[[Fields, Phases], Operations]:
    """Into a new phase before or after its own; one that is alone in its phase stays."""

    def read(fields: Fields, phases: Phases) -> Operations:
        place = place_of(phases, fields[name])[0]
        if len(phases[place].tasks) == 1:
            return []
        return [{"operation": "move_tasks", "tasks": [fields[name]], where: place}]

    return read


def _phase_step(name: str, by: int) -> Callable[[Fields, Phases], Operations]:
    def read(fields: Fields, phases: Phases) -> Operations:
        phase = _index(fields[name], name)
        return move_phase(phase, phase + by, phases)

    return read


def move_phase(phase: int, to: int, phases: Phases) -> Operations:
    """A phase to another place."""
    if to == phase or not 0 <= to < len(phases):
        return []
    return [{"operation": "move_phase", "phase": phase, "before" if to < phase else "after": to}]


def _set(name: str, is_active: bool) -> Callable[[Fields, Phases], Operations]:
    def read(fields: Fields, _phases: Phases) -> Operations:
        return [{"operation": "set_tasks", "tasks": [fields[name]], "values": {"enabled": is_active}}]

    return read


def _ticked_tasks(fields: Fields) -> list[str]:
    found = ticked(fields)
    if not found:
        raise UserError(NOTHING_TICKED, field="tasks")
    return found


def _merge(fields: Fields, _phases: Phases) -> Operations:
    chosen = [_index(each, "phases") for each in ticked(fields, PHASE)]
    if len(chosen) < 2:
        raise UserError("tick at least two phases", field="phases")
    name = {"name": fields["name"].strip()} if fields["name"].strip() else {}
    return [{"operation": "merge_phases", "phases": chosen, **name}]


def _merge_next(fields: Fields, phases: Phases) -> Operations:
    phase = _index(fields["merge_next"], "phase")
    if phase + 1 >= len(phases):
        return []
    return [{"operation": "merge_phases", "phases": [phase, phase + 1]}]


_READ: Mapping[str, Callable[[Fields, Phases], Operations]] = {
    "move": _move,
    "up": _step("up", -1),
    "down": _step("down", 1),
    "new_up": _new_phase("new_up", "before"),
    "new_down": _new_phase("new_down", "after"),
    "activate": _set("activate", True),
    "deactivate": _set("deactivate", False),
    "duplicate": lambda fields, _: [{"operation": "duplicate_task", "task": fields["duplicate"]}],
    "remove": lambda fields, _: [{"operation": "remove_tasks", "tasks": [fields["remove"]]}],
    "phase_up": _phase_step("phase_up", -1),
    "phase_down": _phase_step("phase_down", 1),
    "move_phase": lambda fields, phases: move_phase(
        _index(fields["move_phase"], "phase"), _index(fields["to"], "to"), phases
    ),
    "rename": lambda fields, _: [
        {
            "operation": "rename_phase",
            "phase": _index(fields["rename"], "phase"),
            "name": fields["name"].strip(),
        }
    ],
    "merge_next": _merge_next,
    "remove_phase": lambda fields, _: [
        {"operation": "remove_phase", "phase": _index(fields["remove_phase"], "phase")}
    ],
    "add_phase": lambda fields, phases: [{"operation": "add_phase", "name": free_name(phases, MIXED)}],
    "move_ticked": lambda fields, _: [
        {"operation": "move_tasks", "tasks": _ticked_tasks(fields), **target(fields)}
    ],
    "remove_ticked": lambda fields, _: [{"operation": "remove_tasks", "tasks": _ticked_tasks(fields)}],
    "merge_ticked": _merge,
    "group": lambda fields, _: [
        {"operation": "one_task_per_phase" if fields["group"] == "task" else "group_by_type"}
    ],
}
"""In this order; a form asks for one of them."""


def free_name(phases: Phases, wanted: str) -> str:
    """The name, with a number behind it if a phase has it already."""
    taken = {phase.name for phase in phases}
    names = (wanted if number == 1 else f"{wanted} {number}" for number in range(1, len(phases) + 2))
    return next(name for name in names if name not in taken)
