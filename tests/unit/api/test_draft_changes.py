"""What changed in a draft, in words."""

from typing import Any

import pytest

from orchestrator_api.drafts.changes import compare, summary


def task(name: str, **settings: Any) -> dict[str, Any]:
    plain = {"enabled": True, "continue_on_failure": False, "attempts": 1, "parameters": {}}
    runs = {"component": "sql", "configuration": name.lower()}
    return {"id": name.lower(), "name": name, **runs, **plain, **settings}


def phase(name: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "tasks": list(tasks)}


A, B, C = task("A"), task("B"), task("C")
BASE = [phase("Load", A, B), phase("Write", C)]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (BASE, []),
        ([phase("Load", B, A), phase("Write", C)], []),  # tasks of a phase have no order
        ([phase("Load", A), phase("Write", C, B)], ["B moved from Load to Write"]),
        ([phase("Load", A, B, C)], ["Phase Write is gone", "C moved from Write to Load"]),
        ([phase("Read", A, B), phase("Write", C)], ["Phase Load is called Read"]),
        ([BASE[1], BASE[0]], ["The phases are in another order"]),
        ([*BASE, phase("Later")], ["Phase Later is new"]),
        ([phase("Load", A, B, task("D")), BASE[1]], ["D is new in Load"]),
        ([phase("Load", A), BASE[1]], ["B is gone from Load"]),
        (
            [phase("Load", A), phase("Own", B), BASE[1]],
            ["Phase Own is new", "B moved from Load to Own"],
        ),
        (
            [phase("Load", A, task("B", enabled=False, attempts=3, parameters={"x": 1})), BASE[1]],
            ["B is inactive and has another number of attempts and other parameters"],
        ),
        (
            [phase("Load", A, {**B, "name": "Orders", "continue_on_failure": True}), BASE[1]],
            ["Orders was called B and lets the run go on when it fails"],
        ),
    ],
)
def test_changes_in_words(after: list[dict[str, Any]], words: list[str]) -> None:
    assert [each.text for each in compare(BASE, after)] == words


def test_phases_of_one_name_are_told_apart_by_their_order() -> None:
    before = [phase("P", A), phase("P", B)]
    assert compare(before, before) == []
    assert [each.text for each in compare(before, [phase("P", A, B)])] == [
        "Phase P is gone",
        "B moved from P to P",
    ]


def test_a_regrouping_names_what_moved() -> None:
    changes = compare(BASE, [phase("Extractors", A), phase("Writers", B, C)])
    assert [(each.kind, each.text) for each in changes] == [
        ("phase", "Phase Load is called Extractors"),
        ("phase", "Phase Write is called Writers"),
        ("moved", "B moved from Load to Writers"),
    ]
    assert changes[-1].was_in == "Load"
    assert summary(changes) == "B moved from Load to Writers"


def test_a_step_is_named_by_its_first_change() -> None:
    assert summary(compare(BASE, [phase("All", A, B, C)])) == "C moved from Write to All"
    assert summary(compare(BASE, [phase("Load", A)])) == "B is gone from Load, and 1 more"
    assert summary(compare(BASE, [BASE[1], BASE[0]])) == "The phases are in another order"
    assert summary([]) == "No change"


def test_a_task_without_a_name_is_called_like_its_configuration() -> None:
    unnamed = {**task("D"), "name": "d"}
    names = {("sql", "d"): "Agency report", ("sql", "a"): "Not this"}
    (added,) = compare(BASE, [phase("Load", A, B, unnamed), BASE[1]], names)
    assert added.text == "Agency report is new in Load"
    (changed,) = compare([phase("Load", unnamed)], [phase("Load", {**unnamed, "attempts": 2})], names)
    assert changed.text == "Agency report has another number of attempts"
