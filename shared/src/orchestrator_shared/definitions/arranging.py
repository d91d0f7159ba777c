"""Arranging the tasks of an orchestration: pure operations on a definition, each giving a proposal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from orchestrator_shared.definitions.bounded import Bounded
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition, Phase, ShortText, Task
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

PhaseRef = Annotated[int, Field(ge=0, le=10_000)] | ShortText
"""A phase by its name, or by its index (from 0) where several have one name."""


class _Operation(Bounded):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _places(*, or_none: bool) -> dict[str, Any]:
    """For the description: before or after, or (where that is possible) neither, and never both."""
    given, null = {"type": ["integer", "string"]}, {"type": "null"}
    choices: list[dict[str, Any]] = [
        {"properties": {"before": given, "after": null}, "required": ["before"]},
        {"properties": {"before": null, "after": given}, "required": ["after"]},
    ]
    if or_none:
        choices.append({"properties": {"before": null, "after": null}})
    return {"oneOf": choices}


class GroupByType(_Operation):
    """One phase per type of component."""

    operation: Literal["group_by_type"]


class OneTaskPerPhase(_Operation):
    """One after another, in the present order."""

    operation: Literal["one_task_per_phase"]


class MoveTasks(_Operation):
    """Move tasks into a phase; a missing one is created at the end, or before or after another."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=True))

    operation: Literal["move_tasks"]
    tasks: list[str] = Field(min_length=1, max_length=10_000)
    to: PhaseRef
    before: PhaseRef | None = None
    after: PhaseRef | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.before is not None and self.after is not None:
            raise ValueError("give before or after, not both")
        return self


class RenamePhase(_Operation):
    """Give a phase another name."""

    operation: Literal["rename_phase"]
    phase: PhaseRef
    name: ShortText


class MovePhase(_Operation):
    """Put a phase before or after another."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=False))

    operation: Literal["move_phase"]
    phase: PhaseRef
    before: PhaseRef | None = None
    after: PhaseRef | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.before is None) == (self.after is None):
            raise ValueError("give either before or after")
        return self


class MergePhases(_Operation):
    """Merge several phases at the place of the first, under its name unless another is given."""

    operation: Literal["merge_phases"]
    phases: list[PhaseRef] = Field(min_length=2, max_length=1_000)
    name: ShortText | None = None


Operation = Annotated[
    GroupByType | OneTaskPerPhase | MoveTasks | RenamePhase | MovePhase | MergePhases,
    Field(discriminator="operation"),
]
OPERATIONS: tuple[str, ...] = tuple(
    get_args(kind.model_fields["operation"].annotation)[0] for kind in get_args(get_args(Operation)[0])
)
"""Their names."""
Types = Mapping[str, ComponentType]
"""The type of each component; one that is not known counts as an application."""


def arrange(
    definition: OrchestrationDefinition, operations: Iterable[Operation], types: Types
) -> OrchestrationDefinition:
    """The definition after all operations, one after another; raises UserError naming operation and field."""
    for index, operation in enumerate(operations):
        try:
            definition = _carry_out(definition, operation, types)
        except UserError as error:
            raise UserError(error.detail, field=f"operations.{index}.{error.field}") from None
    return definition


def _carry_out(
    definition: OrchestrationDefinition, operation: Operation, types: Types
) -> OrchestrationDefinition:
    match operation:
        case GroupByType():
            return group_by_type(definition, types)
        case OneTaskPerPhase():
            return one_task_per_phase(definition)
        case MoveTasks():
            return move_tasks(
                definition, operation.tasks, operation.to, before=operation.before, after=operation.after
            )
        case RenamePhase():
            return rename_phase(definition, operation.phase, operation.name)
        case MovePhase():
            return move_phase(definition, operation.phase, before=operation.before, after=operation.after)
        case MergePhases():
            return merge_phases(definition, operation.phases, name=operation.name)


def group_by_type(definition: OrchestrationDefinition, types: Types) -> OrchestrationDefinition:
    """One phase per type of component, in their order; nested orchestrations come last."""

    def type_of(task: Task) -> ComponentType:
        if task.is_nested:
            return ComponentType.ORCHESTRATOR
        return types.get(task.component, ComponentType.APPLICATION)

    return _grouped(definition.tasks(), type_of)


def _grouped(tasks: Sequence[Task], type_of: Callable[[Task], ComponentType]) -> OrchestrationDefinition:
    return _of(
        Phase(name=name, tasks=tuple(task for task in tasks if type_of(task) is kind))
        for kind, name in PHASE_NAMES.items()
    )


def one_task_per_phase(definition: OrchestrationDefinition) -> OrchestrationDefinition:
    """The defensive layout: every task in a phase of its own, named after it, in the present order."""
    return _of(Phase(name=task.name, tasks=(task,)) for task in definition.tasks())


def move_tasks(
    definition: OrchestrationDefinition,
    tasks: Sequence[str],
    to: PhaseRef,
    *,
    before: PhaseRef | None = None,
    after: PhaseRef | None = None,
) -> OrchestrationDefinition:
    """Append tasks to a phase, in the order given; those that lie in it already stay where they are."""
    by_id = {task.id: task for task in definition.tasks()}
    for index, identifier in enumerate(tasks):
        if identifier not in by_id:
            raise UserError(f"there is no task {identifier!r}", field=f"tasks.{index}")
    phases = list(definition.phases)
    target, is_new = _target(phases, to, before, after)
    if is_new:
        phases.insert(target, Phase(name=str(to)))
    staying = {task.id for task in phases[target].tasks}
    moving = [by_id[identifier] for identifier in dict.fromkeys(tasks) if identifier not in staying]
    moved = {task.id for task in moving}
    left = [
        phase
        if moved.isdisjoint(task.id for task in phase.tasks)
        else phase.model_copy(update={"tasks": tuple(task for task in phase.tasks if task.id not in moved)})
        for phase in phases
    ]
    left[target] = left[target].model_copy(update={"tasks": (*left[target].tasks, *moving)})
    return _of(left)


def _target(
    phases: Sequence[Phase], to: PhaseRef, before: PhaseRef | None, after: PhaseRef | None
) -> tuple[int, bool]:
    """Where the tasks go, and whether a phase must be made there."""
    is_there = isinstance(to, int) or any(phase.name == to for phase in phases)
    if not is_there:
        return _place(phases, before, after), True
    if before is not None or after is not None:
        raise UserError(
            f"the phase {to!r} already exists: leave out before and after, or move the phase", field="to"
        )
    return _find(phases, to, field="to"), False


def rename_phase(definition: OrchestrationDefinition, phase: PhaseRef, name: str) -> OrchestrationDefinition:
    """Give a phase another name; names need not differ."""
    phases = list(definition.phases)
    index = _find(phases, phase, field="phase")
    phases[index] = phases[index].model_copy(update={"name": name})
    return _of(phases)


def move_phase(
    definition: OrchestrationDefinition,
    phase: PhaseRef,
    *,
    before: PhaseRef | None = None,
    after: PhaseRef | None = None,
) -> OrchestrationDefinition:
    """Put a phase before or after another one; the others keep their order."""
    phases = list(definition.phases)
    index = _find(phases, phase, field="phase")
    place = _place(phases, before, after)
    moved = phases.pop(index)
    phases.insert(place - 1 if index < place else place, moved)
    return _of(phases)


def merge_phases(
    definition: OrchestrationDefinition, phases: Sequence[PhaseRef], *, name: str | None = None
) -> OrchestrationDefinition:
    """Merge several phases at the place of the first, keeping the order of tasks."""
    present = list(definition.phases)
    find = _Finder(present)
    chosen = sorted({find(each, field=f"phases.{i}") for i, each in enumerate(phases)})
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
    return _of(kept)


def _place(phases: Sequence[Phase], before: PhaseRef | None, after: PhaseRef | None) -> int:
    if before is not None:
        return _find(phases, before, field="before")
    if after is not None:
        return _find(phases, after, field="after") + 1
    return len(phases)


def _find(phases: Sequence[Phase], wanted: PhaseRef, *, field: str) -> int:
    return _Finder(phases)(wanted, field=field)


class _Finder:
    """Finds phases by name or index; looks at all of them once."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self._phases = phases
        self._places: dict[str, list[int]] = {}
        for index, phase in enumerate(phases):
            self._places.setdefault(phase.name, []).append(index)

    def __call__(self, wanted: PhaseRef, *, field: str) -> int:
        if isinstance(wanted, int):
            return self._at(wanted, field)
        found = self._places.get(wanted, [])
        if len(found) > 1:
            raise UserError(f"{len(found)} phases are called {wanted!r}: name one by its index", field=field)
        if not found:
            there = ", ".join(repr(phase.name) for phase in self._phases[:10]) or "none"
            raise UserError(f"there is no phase {wanted!r}; there are: {there}", field=field)
        return found[0]

    def _at(self, index: int, field: str) -> int:
        if index < len(self._phases):
            return index
        last = len(self._phases) - 1
        raise UserError(f"there are {last + 1} phases: the last has the index {last}", field=field)


def _of(phases: Iterable[Phase]) -> OrchestrationDefinition:
    """Empty phases are dropped."""
    return OrchestrationDefinition(phases=tuple(phases))
