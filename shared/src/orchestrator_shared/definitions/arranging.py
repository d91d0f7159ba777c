"""Arranging the tasks of an orchestration: pure operations on a definition, each giving a proposal."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain

from orchestrator_shared.definitions import editing
from orchestrator_shared.definitions.operations import (
    AddTasks,
    GroupByType,
    MergePhases,
    MovePhase,
    MoveTasks,
    OneTaskPerPhase,
    Operation,
    PhaseRef,
    RenamePhase,
)
from orchestrator_shared.definitions.orchestration import Phase, Task
from orchestrator_shared.definitions.placing import (
    D,
    Finder,
    Namer,
    Place,
    find,
    known,
    left_over,
    like,
    opened,
    place,
    place_of,
    put,
    without,
)
from orchestrator_shared.definitions.task_names import Names, name_of
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ComponentType

PHASE_NAMES: Mapping[ComponentType, str] = {
    ComponentType.EXTRACTOR: "Extractors",
    ComponentType.TRANSFORMATION: "Transformations",
    ComponentType.APPLICATION: "Applications",
    ComponentType.WRITER: "Writers",
    ComponentType.ORCHESTRATOR: "Orchestrations",
}
"""The phases of a grouping by type, in their order."""
MIXED = "New phase"
"""A new phase of tasks of several types."""

Types = Mapping[str, ComponentType]
"""The type of each component; one that is not known counts as an application."""


def arrange(definition: D, operations: Iterable[Operation], types: Types, names: Names | None = None) -> D:
    """The definition after all operations, one after another; raises UserError naming operation and field.

    New phases without a name are named after their tasks; `names` are those of the configurations.
    """
    for index, operation in enumerate(operations):
        try:
            definition = _carry_out(definition, operation, types, names or {})
        except UserError as error:
            raise UserError(error.detail, field=f"operations.{index}.{error.field}") from None
    return definition


def needs_names(operations: Iterable[Operation]) -> bool:
    """Whether one of them names a phase after its tasks."""
    return any(
        isinstance(each, OneTaskPerPhase) or (isinstance(each, MoveTasks | AddTasks) and each.to is None)
        for each in operations
    )


def _carry_out(definition: D, operation: Operation, types: Types, names: Names) -> D:
    called = partial(phase_name, types=types, names=names)
    match operation:
        case GroupByType():
            return group_by_type(definition, types)
        case OneTaskPerPhase():
            return one_task_per_phase(definition, names)
        case MoveTasks():
            return _move_tasks(definition, operation.tasks, place_of(operation), called)
        case RenamePhase():
            return rename_phase(definition, operation.phase, operation.name)
        case MovePhase():
            return move_phase(definition, operation.phase, before=operation.before, after=operation.after)
        case MergePhases():
            return merge_phases(definition, operation.phases, name=operation.name)
        case _:
            return editing.edit(definition, operation, called)


def group_by_type(definition: D, types: Types) -> D:
    """One phase per type of component, in their order; nested orchestrations come last."""
    tasks = definition.tasks()
    groups = (
        Phase(name=name, tasks=tuple(task for task in tasks if type_of(task, types) is kind))
        for kind, name in PHASE_NAMES.items()
    )
    return like(definition, (phase for phase in groups if phase.tasks))


def type_of(task: Task, types: Types) -> ComponentType:
    """The type of the component that the task runs."""
    if task.is_nested:
        return ComponentType.ORCHESTRATOR
    return types.get(task.component, ComponentType.APPLICATION)


def phase_name(tasks: Sequence[Task], types: Types, names: Names) -> str:
    """Of a new phase with these tasks: that of the only one, or what all of them are."""
    if len(tasks) == 1:
        return name_of(tasks[0], names)
    kinds = {type_of(task, types) for task in tasks}
    return PHASE_NAMES[kinds.pop()] if len(kinds) == 1 else MIXED


def one_task_per_phase(definition: D, names: Names | None = None) -> D:
    """The defensive layout: every task in a phase of its own, named after it, in the present order."""
    return like(
        definition, (Phase(name=name_of(task, names or {}), tasks=(task,)) for task in definition.tasks())
    )


def move_tasks(
    definition: D,
    tasks: Sequence[str],
    to: PhaseRef | None,
    *,
    before: PhaseRef | None = None,
    after: PhaseRef | None = None,
    at: int | None = None,
    types: Types | None = None,
) -> D:
    """Put tasks into a phase, in the order given; without `at`, those that lie in it stay where they are."""
    return _move_tasks(
        definition, tasks, Place(to, before, after, at), partial(phase_name, types=types or {}, names={})
    )


def _move_tasks(definition: D, tasks: Sequence[str], where: Place, called: Namer) -> D:
    wanted = known(definition, tasks)
    phases, target = opened(definition.phases, where, partial(called, list(wanted.values())))
    staying = set() if where.at is not None else {task.id for task in phases[target].tasks}
    moving = {identifier: task for identifier, task in wanted.items() if identifier not in staying}
    left = without(phases, moving)
    left[target] = put(left[target], list(moving.values()), where.at)
    return like(definition, left_over(phases, left))


def rename_phase(definition: D, phase: PhaseRef, name: str) -> D:
    """Give a phase another name; names need not differ."""
    phases = list(definition.phases)
    index = find(phases, phase, field="phase")
    phases[index] = phases[index].model_copy(update={"name": name})
    return like(definition, phases)


def move_phase(
    definition: D,
    phase: PhaseRef,
    *,
    before: PhaseRef | None = None,
    after: PhaseRef | None = None,
) -> D:
    """Put a phase before or after another one; the others keep their order."""
    phases = list(definition.phases)
    index = find(phases, phase, field="phase")
    index_there = place(phases, before, after)
    moved = phases.pop(index)
    phases.insert(index_there - 1 if index < index_there else index_there, moved)
    return like(definition, phases)


def merge_phases(definition: D, phases: Sequence[PhaseRef], *, name: str | None = None) -> D:
    """Merge several phases at the place of the first, keeping the order of tasks."""
    present = list(definition.phases)
    found = Finder(present)
    chosen = sorted({found(each, field=f"phases.{i}") for i, each in enumerate(phases)})
    if len(chosen) < 2:
        raise UserError("name at least two different phases", field="phases")
    merged = Phase(
        name=name or present[chosen[0]].name,
        tasks=tuple(chain.from_iterable(present[index].tasks for index in chosen)),
    )
    gone = set(chosen[1:])
    kept = [
        merged if index == chosen[0] else phase for index, phase in enumerate(present) if index not in gone
    ]
    return like(definition, kept)
