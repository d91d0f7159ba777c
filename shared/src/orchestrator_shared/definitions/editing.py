"""Changing which tasks an orchestration has, and their settings: pure operations on a definition."""

from collections.abc import Container, Sequence
from functools import partial

from orchestrator_shared.definitions.job_request import NESTED_TIMEOUT, wrong_task_parameters
from orchestrator_shared.definitions.operations import (
    AddPhase,
    AddTasks,
    DuplicateTask,
    EditOperation,
    NewTask,
    PhaseRef,
    RemovePhase,
    RemoveTasks,
    SetTasks,
    TaskValues,
)
from orchestrator_shared.definitions.orchestration import Phase, Task
from orchestrator_shared.definitions.placing import (
    D,
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
from orchestrator_shared.domain.errors import UserError

MAX_ID = 130
MAX_NAME = 200


def edit(definition: D, operation: EditOperation, called: Namer) -> D:
    """The definition after it, where `called` names a new phase; raises UserError naming its field."""
    match operation:
        case AddTasks():
            return add_tasks(definition, operation.tasks, place_of(operation), called)
        case RemoveTasks():
            return remove_tasks(definition, operation.tasks)
        case DuplicateTask():
            return duplicate_task(definition, operation.task)
        case SetTasks():
            return set_tasks(definition, operation.tasks, operation.values)
        case AddPhase():
            return add_phase(definition, operation.name, before=operation.before, after=operation.after)
        case RemovePhase():
            return remove_phase(definition, operation.phase)


def add_tasks(definition: D, tasks: Sequence[NewTask], where: Place, called: Namer) -> D:
    """Add a task for each configuration, under an id that is free."""
    taken = {task.id for task in definition.tasks()}
    made: list[Task] = []
    for new in tasks:
        identifier = _free_id(taken, f"{new.component}/{new.configuration}")
        taken.add(identifier)
        name = new.name or identifier
        made.append(Task(id=identifier, name=name, component=new.component, configuration=new.configuration))
    phases, target = opened(definition.phases, where, partial(called, made))
    phases[target] = put(phases[target], made, where.at)
    return like(definition, phases)


def remove_tasks(definition: D, tasks: Sequence[str]) -> D:
    """Remove tasks, and the phases that become empty by it."""
    gone = known(definition, tasks)
    return like(definition, left_over(definition.phases, without(definition.phases, gone)))


def duplicate_task(definition: D, task: str) -> D:
    """Put a copy right after the task."""
    taken = {each.id for each in definition.tasks()}
    if task not in taken:
        raise UserError(f"there is no task {task!r}", field="task")
    phases = list(definition.phases)
    for index, phase in enumerate(phases):
        at = next((i for i, each in enumerate(phase.tasks) if each.id == task), None)
        if at is not None:
            original = phase.tasks[at]
            changed = {"id": _free_id(taken, task), "name": _copy_name(original)}
            phases[index] = put(phase, [original.model_copy(update=changed)], at + 1)
    return like(definition, phases)


def _copy_name(task: Task) -> str:
    return f"{task.name[: MAX_NAME - 7]} (copy)"


def set_tasks(definition: D, tasks: Sequence[str], values: TaskValues) -> D:
    """Change settings of tasks; raises UserError for those with which a task could never run."""
    wanted, given = known(definition, tasks), values.given()
    for task in wanted.values():
        _check(task, values)
    phases = [
        phase.model_copy(
            update={"tasks": tuple(_with(task, given) if task.id in wanted else task for task in phase.tasks)}
        )
        for phase in definition.phases
    ]
    return like(definition, phases)


def _check(task: Task, values: TaskValues) -> None:
    if task.is_nested and values.timeout_seconds is not None:
        raise UserError(NESTED_TIMEOUT, field="values.timeout_seconds")
    for key, reason in wrong_task_parameters(task.component, values.parameters or {}):
        raise UserError(reason, field=f"values.parameters.{key}")


def _with(task: Task, given: dict[str, object]) -> Task:
    return Task.model_validate({**dict(task), **given})


def add_phase(
    definition: D, name: str, *, before: PhaseRef | None = None, after: PhaseRef | None = None
) -> D:
    """Add an empty phase; a definition that is saved drops it."""
    phases = list(definition.phases)
    if any(phase.name == name for phase in phases):
        raise UserError(f"there is already a phase {name!r}: give the new one another name", field="name")
    phases.insert(place(phases, before, after), Phase(name=name))
    return like(definition, phases)


def remove_phase(definition: D, phase: PhaseRef) -> D:
    """Remove a phase with its tasks."""
    index = find(definition.phases, phase, field="phase")
    return like(definition, (each for i, each in enumerate(definition.phases) if i != index))


def _free_id(taken: Container[str], wanted: str) -> str:
    """The id, with a number behind it if a task has it already."""
    identifier, number = wanted, 1
    while identifier in taken:
        number += 1
        ending = f"-{number}"
        identifier = wanted[: MAX_ID - len(ending)] + ending
    return identifier
