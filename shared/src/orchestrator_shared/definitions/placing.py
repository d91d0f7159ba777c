"""Where tasks and phases go: phases found by name or index, and places among them."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator_shared.definitions.operations import AddTasks, MoveTasks, PhaseRef
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition, Phase, Task
from orchestrator_shared.domain.errors import UserError

D = TypeVar("D", bound=OrchestrationDefinition)
Namer = Callable[[Sequence[Task]], str]
"""The name of a new phase with these tasks."""
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks go: into a phase, or into a new one before or after another."""

    to: PhaseRef | None = None
    before: PhaseRef | None = None
    after: PhaseRef | None = None
    at: int | None = None


def place_of(operation: MoveTasks | AddTasks) -> Place:
    """Where its tasks go."""
    return Place(operation.to, operation.before, operation.after, operation.at)


def like(definition: D, phases: Iterable[Phase]) -> D:
    """A definition of the same kind: in one that is saved, empty phases are dropped."""
    return type(definition)(phases=tuple(phases))


def opened(phases: Sequence[Phase], where: Place, called: Callable[[], str]) -> tuple[list[Phase], int]:
    """The phases, with the one that the tasks go to, and its index; `called` names a new one."""
    made = list(phases)
    to = where.to
    if to is None:
        to = free_name(phases, called())
    elif isinstance(to, int) or any(phase.name == to for phase in phases):
        if where.before is not None or where.after is not None:
            raise UserError(
                f"the phase {to!r} already exists: leave out before and after, or move the phase", field="to"
            )
        return made, find(phases, to, field="to")
    target = place(phases, where.before, where.after)
    made.insert(target, Phase(name=str(to)))
    return made, target


def put(phase: Phase, tasks: Sequence[Task], at: int | None) -> Phase:
    """The phase with these tasks as well, at a place among the others or at the end."""
    there = phase.tasks
    at = len(there) if at is None else at
    return phase.model_copy(update={"tasks": (*there[:at], *tasks, *there[at:])})


def without(phases: Sequence[Phase], gone: Container[str]) -> list[Phase]:
    """The same phases without these tasks."""
    return [
        phase.model_copy(update={"tasks": tuple(task for task in phase.tasks if task.id not in gone)})
        if any(task.id in gone for task in phase.tasks)
        else phase
        for phase in phases
    ]


def left_over(before: Sequence[Phase], after: Sequence[Phase]) -> list[Phase]:
    """Those after, except the ones that have just become empty."""
    return [now for was, now in zip(before, after, strict=True) if now.tasks or not was.tasks]


def known(definition: OrchestrationDefinition, tasks: Sequence[str], field: str = "tasks") -> dict[str, Task]:
    """The tasks by their ids, each once, in the order given; raises UserError if there is no such task."""
    by_id = {task.id: task for task in definition.tasks()}
    for index, identifier in enumerate(tasks):
        if identifier not in by_id:
            raise UserError(f"there is no task {identifier!r}", field=f"{field}.{index}")
    return {identifier: by_id[identifier] for identifier in tasks}


def free_name(phases: Sequence[Phase], wanted: str) -> str:
    """The name, with a number behind it if a phase has it already."""
    taken = {phase.name for phase in phases}
    name, number = wanted, 1
    while name in taken:
        number += 1
        ending = f" {number}"
        name = wanted[: MAX_NAME - len(ending)] + ending
    return name


def place(phases: Sequence[Phase], before: PhaseRef | None, after: PhaseRef | None) -> int:
    """The index that a phase gets; the last one unless told otherwise."""
    if before is not None:
        return find(phases, before, field="before")
    if after is not None:
        return find(phases, after, field="after") + 1
    return len(phases)


def find(phases: Sequence[Phase], wanted: PhaseRef, *, field: str) -> int:
    """The index of a phase; raises UserError, naming the field, if there is none or several."""
    return Finder(phases)(wanted, field=field)


class Finder:
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
