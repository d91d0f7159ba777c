"""The comparison behind plan and apply."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_api.definitions.documents import read_documents, write_documents
from orchestrator_api.definitions.planning import PRUNED, Action, Fields, Item, Kind, compare, needs

FIELDS = st.fixed_dictionaries(
    {"a": st.integers(0, 1), "b": st.dictionaries(st.sampled_from("xy"), st.integers())}
)
ITEMS = st.dictionaries(st.tuples(st.just(Kind.CONFIGURATION), st.sampled_from("pqrs")), FIELDS)


@given(ITEMS, ITEMS, st.booleans())
def test_carrying_out_the_changes_leaves_none(
    desired: dict[Item, Fields], current: dict[Item, Fields], prune: bool
) -> None:
    kinds = PRUNED if prune else frozenset()
    after = dict(current)
    for change in compare(desired, current, prune=kinds):
        item = (change.kind, change.id)
        assert (change.action is Action.CREATE) == (item in desired and item not in current)
        assert bool(change.fields) == (change.action is Action.UPDATE)
        if change.action is Action.DELETE:
            del after[item]
        else:
            after[item] = desired[item]
    again = compare(desired, after, prune=kinds)
    assert {change.action for change in again} <= {Action.UNCHANGED}
    assert after == (desired if prune else current | desired)


def orchestration(*children: str) -> dict[str, Any]:
    tasks = [{"component": "orchestrator", "configuration": child} for child in children]
    return {"phases": [{"name": "1", "tasks": tasks}]}


def test_what_is_run_comes_before_what_runs_it_and_goes_after_it() -> None:
    graph = {"a": orchestration("b"), "b": orchestration("c"), "c": orchestration()}
    items: dict[Item, Fields] = {(Kind.ORCHESTRATION, name): fields for name, fields in graph.items()}
    assert [change.id for change in compare(items, {}, prune=frozenset())] == ["c", "b", "a"]
    assert [change.id for change in compare({}, items, prune=PRUNED)] == ["a", "b", "c"]
    assert needs((Kind.ORCHESTRATION, "a"), graph["a"]) == {(Kind.ORCHESTRATION, "b")}


def test_pruning_spares_secrets_and_components() -> None:
    current: dict[Item, Fields] = {
        (Kind.VARIABLE, "plain"): {"value": "1", "secret": False},
        (Kind.VARIABLE, "hidden"): {"value": "2", "secret": True},
        (Kind.COMPONENT, "mine"): {},
    }
    assert [change.id for change in compare({}, current, prune=PRUNED)] == ["plain"]
    shared: dict[Item, Fields] = {**current, (Kind.BUCKET, "in.c-x"): {"shared_with": ["other"]}}
    assert [change.id for change in compare({}, shared, prune=PRUNED)] == ["plain"]
    assert [change.id for change in compare({}, shared, prune={Kind.BUCKET})] == ["in.c-x"]
    assert compare({}, current, prune=frozenset()) == []


def test_a_document_is_the_whole_truth_of_its_orchestration() -> None:
    current: dict[Item, Fields] = {
        (Kind.ORCHESTRATION, "a"): orchestration(),
        (Kind.ORCHESTRATION, "b"): orchestration(),
        (Kind.SCHEDULE, "a/early"): {},
        (Kind.SCHEDULE, "b/early"): {},
    }
    changes = compare({(Kind.ORCHESTRATION, "a"): orchestration()}, current, prune=frozenset())
    assert [(change.id, change.action) for change in changes] == [
        ("a", Action.UNCHANGED),
        ("a/early", Action.DELETE),
    ]


def test_documents_written_read_back_as_the_same() -> None:
    documents = [
        {"variables": {"region": "eu"}},
        {"configuration": "x/one", "parameters": {"rows": 1}},
        {
            "orchestration": "daily",
            "enabled": False,
            "phases": [
                {"name": "All", "tasks": [{"run": "x/one", "timeout": "30m", "parameters": {"a": 1}}]}
            ],
            "schedules": {"early": {"every": "45m", "misfire": "skip"}},
            "triggers": {"crm": {"tables": ["other/in.c-a.x", "in.c-a.y"], "cool_down": "50m"}},
            "notify": {"team@example.com": ["error"]},
        },
    ]
    desired = read_documents(documents, "demo")
    assert read_documents(write_documents(desired.items), "demo").items == desired.items
    assert desired.places[Kind.SCHEDULE, "daily/early"] == "documents[2].schedules.early"
