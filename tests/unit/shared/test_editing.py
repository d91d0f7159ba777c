"""Adding, removing and setting tasks, and what a draft keeps that a saved definition drops."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests.unit.shared.test_arranging import TYPES, definitions, operations, task

from orchestrator_shared.definitions.arranging import arrange, group_by_type, move_tasks, one_task_per_phase
from orchestrator_shared.definitions.operations import AddPhase, Operation
from orchestrator_shared.definitions.orchestration import DraftDefinition, OrchestrationDefinition, Phase
from orchestrator_shared.domain.errors import UserError


def draft(**phases: str) -> DraftDefinition:
    """Phases with one task per letter."""
    return DraftDefinition(
        phases=tuple(Phase(name=name, tasks=tuple(map(task, ids))) for name, ids in phases.items())
    )


def shape(made: OrchestrationDefinition) -> list[tuple[str, str]]:
    return [(phase.name, ",".join(each.id for each in phase.tasks)) for phase in made.phases]


def operation(**fields: Any) -> Operation:
    parsed: Operation = TypeAdapter(Operation).validate_python(fields)
    return parsed


def applied(start: DraftDefinition, /, **fields: Any) -> DraftDefinition:
    return arrange(start, [operation(**fields)], TYPES)


TWO = draft(one="ab", two="cd")
LOAD = {"component": "load", "configuration": "x"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"operation": "add_tasks", "tasks": [LOAD], "to": "two"}, [("one", "a,b"), ("two", "c,d,load/x")]),
        (
            {"operation": "add_tasks", "tasks": [LOAD, LOAD], "to": 0, "at": 1},
            [("one", "a,load/x,load/x-2,b"), ("two", "c,d")],
        ),
        (
            {"operation": "add_tasks", "tasks": [{**LOAD, "name": "X"}], "before": "one"},
            [("X", "load/x"), ("one", "a,b"), ("two", "c,d")],
        ),
        (
            {"operation": "add_tasks", "tasks": [LOAD, LOAD]},
            [("one", "a,b"), ("two", "c,d"), ("Extractors", "load/x,load/x-2")],
        ),
        ({"operation": "remove_tasks", "tasks": ["a", "d"]}, [("one", "b"), ("two", "c")]),
        ({"operation": "remove_tasks", "tasks": ["c", "d"]}, [("one", "a,b")]),
        ({"operation": "duplicate_task", "task": "a"}, [("one", "a,a-2,b"), ("two", "c,d")]),
        ({"operation": "remove_phase", "phase": 0}, [("two", "c,d")]),
        (
            {"operation": "add_phase", "name": "new", "after": "one"},
            [("one", "a,b"), ("new", ""), ("two", "c,d")],
        ),
        ({"operation": "move_tasks", "tasks": ["d"], "to": 0, "at": 0}, [("one", "d,a,b"), ("two", "c")]),
        ({"operation": "move_tasks", "tasks": ["a"], "to": 0, "at": 9}, [("one", "b,a"), ("two", "c,d")]),
        ({"operation": "move_tasks", "tasks": ["c", "d"], "to": 0}, [("one", "a,b,c,d")]),
        (
            {"operation": "move_tasks", "tasks": ["b"], "after": 0},
            [("one", "a"), ("b", "b"), ("two", "c,d")],
        ),
        (
            {"operation": "move_tasks", "tasks": ["c", "d"], "before": 0},
            [("Extractors", "c,d"), ("one", "a,b")],
        ),
    ],
)
def test_operations_on_tasks(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert shape(applied(TWO, **fields)) == expected


def test_a_new_phase_gets_a_name_that_is_free() -> None:
    before = draft(a="b", c="a")
    assert shape(applied(before, operation="move_tasks", tasks=["a"])) == [("a", "b"), ("a 2", "a")]


def test_settings_change_what_is_given_and_nothing_else() -> None:
    made = applied(TWO, operation="set_tasks", tasks=["a", "c"], values={"enabled": False, "attempts": 3})
    changed = {each.id: each for each in made.tasks()}
    assert [(each.enabled, each.attempts) for each in changed.values()] == [
        (False, 3), (True, 1), (False, 3), (True, 1),
    ]  # fmt: skip
    assert changed["a"].model_copy(update={"enabled": True, "attempts": 1}) == TWO.tasks()[0]
    limited = applied(TWO, operation="set_tasks", tasks=["a"], values={"timeout_seconds": 60})
    whole = applied(limited, operation="set_tasks", tasks=["a"], values={"timeout_seconds": None})
    assert [each.tasks()[0].timeout_seconds for each in (limited, whole)] == [60, 86_400]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"operation": "remove_tasks", "tasks": ["a", "x"]}, "tasks.1"),
        ({"operation": "duplicate_task", "task": "x"}, "task"),
        ({"operation": "set_tasks", "tasks": ["x"], "values": {"enabled": True}}, "tasks.0"),
        (
            {"operation": "set_tasks", "tasks": ["n"], "values": {"timeout_seconds": 5}},
            "values.timeout_seconds",
        ),
        (
            {"operation": "set_tasks", "tasks": ["a"], "values": {"parameters": {"attempts": "x"}}},
            "values.parameters.attempts",
        ),
        ({"operation": "add_phase", "name": "one"}, "name"),
        ({"operation": "remove_phase", "phase": 7}, "phase"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], field: str) -> None:
    nested = Phase(name="nested", tasks=(task("n", "orchestrator"),))
    before = DraftDefinition(phases=(*TWO.phases, nested))
    with pytest.raises(UserError) as refused:
        applied(before, **fields)
    assert refused.value.field == f"operations.0.{field}"


@pytest.mark.parametrize(
    "values",
    [{}, {"enabled": None}, {"attempts": 0}, {"name": ""}, {"colour": "red"}, {"timeout_seconds": 0}],
)
def test_impossible_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        operation(operation="set_tasks", tasks=["a"], values=values)


def test_only_a_draft_keeps_an_empty_phase() -> None:
    add = AddPhase(operation="add_phase", name="new")
    assert shape(arrange(TWO, [add], TYPES))[-1] == ("new", "")
    saved = OrchestrationDefinition(phases=TWO.phases)
    assert arrange(saved, [add], TYPES) == saved
    kept = arrange(TWO, [add, operation(operation="rename_phase", phase="new", name="later")], TYPES)
    assert shape(move_tasks(kept, ["a"], "two")) == [("one", "b"), ("two", "c,d,a"), ("later", "")]
    assert all(phase.tasks for phase in group_by_type(kept, TYPES).phases)
    assert all(phase.tasks for phase in one_task_per_phase(kept).phases)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_arranging_a_draft_keeps_its_tasks_and_empties_no_phase(data: st.DataObject) -> None:
    before = DraftDefinition(phases=data.draw(definitions()).phases)
    empty = {phase.name for phase in before.phases if not phase.tasks}
    made = arrange(before, [data.draw(operations(before))], TYPES)
    assert sorted(made.tasks(), key=lambda t: t.id) == sorted(before.tasks(), key=lambda t: t.id)
    left = {phase.name for phase in made.phases if not phase.tasks}
    assert left <= empty | {"renamed"}


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_task_lies_at_its_place(data: st.DataObject) -> None:
    before = data.draw(definitions())
    ids = [each.id for each in before.tasks()]
    moving = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True))
    target = data.draw(st.integers(0, len(before.phases) - 1))
    others = [each.id for each in before.phases[target].tasks if each.id not in moving]
    at = data.draw(st.integers(0, len(others)))
    made = move_tasks(before, moving, target, at=at)
    (there,) = [phase for phase in made.phases if moving[0] in {each.id for each in phase.tasks}]
    assert [each.id for each in there.tasks] == [*others[:at], *moving, *others[at:]]
