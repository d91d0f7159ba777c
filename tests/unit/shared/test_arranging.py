"""Arranging tasks: none is lost or doubled, and what an operation does not touch keeps its order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from orchestrator_shared.definitions.arranging import (
    arrange,
    group_by_type,
    merge_phases,
    move_phase,
    move_tasks,
    needs_names,
    one_task_per_phase,
    rename_phase,
)
from orchestrator_shared.definitions.operations import (
    MergePhases,
    MovePhase,
    MoveTasks,
    Operation,
    RenamePhase,
)
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition, Phase, Task
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ComponentType

TYPES = {
    "write": ComponentType.WRITER,
    "load": ComponentType.EXTRACTOR,
    "app": ComponentType.APPLICATION,
    "sql": ComponentType.TRANSFORMATION,
}
COMPONENTS = [*TYPES, "orchestrator", "unknown"]


def task(identifier: str, component: str = "load") -> Task:
    return Task(id=identifier, name=identifier, component=component, configuration=identifier)


def definition(**phases: str) -> OrchestrationDefinition:
    """Phases with one task per letter."""
    return OrchestrationDefinition(
        phases=tuple(Phase(name=name, tasks=tuple(map(task, ids))) for name, ids in phases.items())
    )


def shape(made: OrchestrationDefinition) -> dict[str, str]:
    assert len({phase.name for phase in made.phases}) == len(made.phases)
    return {phase.name: "".join(task.id for task in phase.tasks) for phase in made.phases}


THREE = definition(one="ab", two="cd", three="e")


def test_grouping_by_type_has_one_order() -> None:
    tasks = tuple(task(f"t{i}", component) for i, component in enumerate(COMPONENTS * 2))
    mixed = OrchestrationDefinition(
        phases=(Phase(name="x", tasks=tasks[:5]), Phase(name="y", tasks=tasks[5:]))
    )
    made = group_by_type(mixed, TYPES)
    assert [(phase.name, [task.id for task in phase.tasks]) for phase in made.phases] == [
        ("Extractors", ["t1", "t7"]),
        ("Transformations", ["t3", "t9"]),
        ("Applications", ["t2", "t5", "t8", "t11"]),
        ("Writers", ["t0", "t6"]),
        ("Orchestrations", ["t4", "t10"]),
    ]
    assert group_by_type(made, TYPES) == made


def test_one_task_per_phase_keeps_the_order() -> None:
    assert shape(one_task_per_phase(THREE)) == {letter: letter for letter in "abcde"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (move_tasks(THREE, ["e", "a"], "two"), {"one": "b", "two": "cdea"}),
        (move_tasks(THREE, ["d", "c"], "two"), {"one": "ab", "two": "cd", "three": "e"}),
        (move_tasks(THREE, ["a", "b"], 2), {"two": "cd", "three": "eab"}),
        (move_tasks(THREE, ["c"], "new"), {"one": "ab", "two": "d", "three": "e", "new": "c"}),
        (move_tasks(THREE, ["c"], "new", before="one"), {"new": "c", "one": "ab", "two": "d", "three": "e"}),
        (move_tasks(THREE, ["a", "b"], "new", after="one"), {"new": "ab", "two": "cd", "three": "e"}),
        (rename_phase(THREE, "two", "Zwei"), {"one": "ab", "Zwei": "cd", "three": "e"}),
        (move_phase(THREE, "three", before="one"), {"three": "e", "one": "ab", "two": "cd"}),
        (move_phase(THREE, "one", after="two"), {"two": "cd", "one": "ab", "three": "e"}),
        (move_phase(THREE, "one", after="three"), {"two": "cd", "three": "e", "one": "ab"}),
        (move_phase(THREE, "one", after="one"), {"one": "ab", "two": "cd", "three": "e"}),
        (merge_phases(THREE, ["three", "one"]), {"one": "abe", "two": "cd"}),
        (merge_phases(THREE, ["two", "three"], name="Rest"), {"one": "ab", "Rest": "cde"}),
    ],
)
def test_operations(made: OrchestrationDefinition, expected: dict[str, str]) -> None:
    assert list(shape(made).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"operation": "move_tasks", "tasks": ["a", "ghost"], "to": "two"}, "tasks.1"),
        ({"operation": "move_tasks", "tasks": ["a"], "to": "two", "after": "one"}, "to"),
        ({"operation": "move_tasks", "tasks": ["a"], "to": "new", "after": "ghost"}, "after"),
        ({"operation": "move_tasks", "tasks": ["a"], "to": 3}, "to"),
        ({"operation": "rename_phase", "phase": "ghost", "name": "x"}, "phase"),
        ({"operation": "move_phase", "phase": "one", "before": 9}, "before"),
        ({"operation": "merge_phases", "phases": ["one", 0]}, "phases"),
    ],
)
def test_refusals_name_operation_and_field(operation: dict[str, Any], field: str) -> None:
    parsed: Operation = TypeAdapter(Operation).validate_python(operation)
    with pytest.raises(UserError) as refused:
        arrange(THREE, [RenamePhase(operation="rename_phase", phase=2, name="three"), parsed], TYPES)
    assert refused.value.field == f"operations.1.{field}"


@pytest.mark.parametrize(
    ("tasks", "called"),
    [
        (["b"], "Loaded rows"),
        (["w"], "w"),
        (["w", "v"], "Writers"),
        (["a", "b"], "Extractors"),
        (["a", "w"], "New phase"),
    ],
)
def test_a_new_phase_is_named_after_its_task_or_after_what_all_of_them_are(
    tasks: list[str], called: str
) -> None:
    unnamed = Task(id="load/b-2", name="load/b-2", component="load", configuration="b")
    made = OrchestrationDefinition(
        phases=(
            Phase(name="New phase", tasks=(task("a"), task("w", "write"), task("v", "write"))),
            Phase(name="x", tasks=(task("b"), unnamed)),
        )
    )
    names = {("load", "b"): "Loaded rows"}
    move = MoveTasks(operation="move_tasks", tasks=tasks)
    new = arrange(made, [move], TYPES, names).phases[-1]
    assert [task.id for task in new.tasks] == tasks
    assert new.name == ("New phase 2" if called == "New phase" else called)
    assert needs_names([move])
    assert not needs_names([MoveTasks(operation="move_tasks", tasks=tasks, to="x")])
    alone = one_task_per_phase(made, names)
    assert [phase.name for phase in alone.phases] == ["a", "w", "v", "Loaded rows", "Loaded rows"]


def test_phases_of_one_name_are_distinguished_by_index() -> None:
    twice = OrchestrationDefinition(
        phases=(Phase(name="same", tasks=(task("a"),)), Phase(name="same", tasks=(task("b"),)))
    )
    with pytest.raises(UserError, match="by its index"):
        rename_phase(twice, "same", "x")
    assert [phase.name for phase in rename_phase(twice, 1, "x").phases] == ["same", "x"]


LAYOUTS = st.lists(st.integers(0, 4), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 0)


@st.composite
def definitions(draw: st.DrawFn) -> OrchestrationDefinition:
    number = 0
    phases = []
    for index, size in enumerate(draw(LAYOUTS)):
        tasks = [task(f"t{number + i}", draw(st.sampled_from(COMPONENTS))) for i in range(size)]
        number += size
        phases.append(Phase(name=f"p{index}", tasks=tuple(tasks)))
    return OrchestrationDefinition(phases=tuple(phases))


@st.composite
def operations(draw: st.DrawFn, on: OrchestrationDefinition) -> Operation:
    phases = st.integers(0, len(on.phases) - 1)
    tasks = st.lists(st.sampled_from([task.id for task in on.tasks()]), min_size=1, max_size=5)
    place = draw(st.sampled_from(["before", "after"]))
    match draw(st.sampled_from(["move", "new", "rename", "phase", "merge"])):
        case "move":
            return MoveTasks(operation="move_tasks", tasks=draw(tasks), to=draw(phases))
        case "new":
            values = {"tasks": draw(tasks), "to": "fresh", place: draw(phases)}
            return MoveTasks.model_validate({"operation": "move_tasks", **values})
        case "rename":
            return RenamePhase(operation="rename_phase", phase=draw(phases), name="renamed")
        case "phase":
            values = {"phase": draw(phases), place: draw(phases)}
            return MovePhase.model_validate({"operation": "move_phase", **values})
        case _:
            chosen = draw(st.lists(phases, min_size=2, max_size=4))
            if len(set(chosen)) < 2:
                return RenamePhase(operation="rename_phase", phase=chosen[0], name="renamed")
            return MergePhases(operation="merge_phases", phases=list(chosen))


def test_merging_looks_at_each_phase_a_bounded_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand names in each of a hundred operations held the api for minutes."""
    before = OrchestrationDefinition(
        phases=tuple(Phase(name=f"p{i}", tasks=(task(f"t{i}"),)) for i in range(1000))
    )
    looks = 0
    plain = Phase.__getattribute__

    def counted(self: Phase, name: str) -> Any:
        nonlocal looks
        looks += name == "name"
        return plain(self, name)

    monkeypatch.setattr(Phase, "__getattribute__", counted)
    made = merge_phases(before, [f"p{i}" for i in range(500)])
    assert len(made.phases) == 501
    assert looks <= 3 * len(before.phases)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_task_is_lost_doubled_or_changed(data: st.DataObject) -> None:
    before = data.draw(definitions())
    operation = data.draw(operations(before))
    if isinstance(operation, MoveTasks) and operation.to == "fresh":
        assert all(phase.name != "fresh" for phase in before.phases)
    for made in (
        arrange(before, [operation], TYPES),
        group_by_type(before, TYPES),
        one_task_per_phase(before),
    ):
        assert sorted(made.tasks(), key=lambda t: t.id) == sorted(before.tasks(), key=lambda t: t.id)
        assert all(phase.tasks for phase in made.phases)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_untouched_phases_keep_their_order(data: st.DataObject) -> None:
    before = data.draw(definitions())
    operation = data.draw(operations(before))
    made = arrange(before, [operation], TYPES)
    touched: set[int] = set()
    if isinstance(operation, MovePhase | RenamePhase):
        touched = {_index(operation.phase)}
    if isinstance(operation, MergePhases):
        touched = {_index(phase) for phase in operation.phases}
    names = [phase.name for index, phase in enumerate(before.phases) if index not in touched]
    left = [phase.name for phase in made.phases if phase.name in names]
    assert left == [name for name in names if name in left]
    if not isinstance(operation, MoveTasks):
        assert left == names


def _index(phase: int | str) -> int:
    assert isinstance(phase, int)
    return phase
