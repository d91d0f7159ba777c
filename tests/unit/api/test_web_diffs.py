"""Differences between versions are shown with signs, with the lines around them, at a bounded cost."""

from difflib import SequenceMatcher
from typing import Any

import pytest

from orchestrator_api.catalog.differences import Difference, Differences, compare_parameters, compare_phases
from orchestrator_api.web import diffs
from orchestrator_api.web.diffs import Change, Pair, diff_of


def only(before: object, after: object) -> Change:
    (change,) = diff_of(compare_parameters({"x": before}, {"x": after})).changes
    return change


def test_a_changed_line_of_a_text_stands_between_its_neighbours() -> None:
    lines = [f"line {number}" for number in range(20)]
    changed = [*lines[:10], "another line", *lines[11:]]
    change = only("\n".join(lines), "\n".join(changed))
    assert (change.path, change.label) == ("x", "Changed")
    assert change.pairs == (
        Pair(None, None, 7),
        *(Pair(line, line) for line in lines[7:10]),
        Pair("line 10", "another line"),
        *(Pair(line, line) for line in lines[11:14]),
        Pair(None, None, 6),
    )


def test_what_is_new_or_gone_has_one_side() -> None:
    found = diff_of(compare_parameters({"old": [1, "a"]}, {"new": "text"}))
    assert [(each.path, each.label) for each in found.changes] == [("old", "Removed"), ("new", "Added")]
    assert found.changes[0].pairs == tuple(Pair(line, None) for line in ("[", "  1,", '  "a"', "]"))
    assert found.changes[1].pairs == (Pair(None, "text"),)


def test_a_number_and_its_text_can_be_told_apart() -> None:
    assert only(1, "1").pairs == (Pair("1", '"1"'),)
    assert only("", "a").pairs == (Pair('""', "a"),)


def test_secrets_are_said_to_have_changed_and_not_shown() -> None:
    change = Difference("parameters.#password", "changed", "***", "***", secret=True)
    (shown,) = diff_of(Differences([change], truncated=False)).changes
    assert (shown.path, shown.label, shown.pairs) == ("#password", "Secret changed", ())


def test_a_task_that_moved_says_from_where_to_where() -> None:
    def phases(first: str, second: str) -> dict[str, object]:
        task = {"id": "a/b", "component": "a", "configuration": "b"}
        named = {"Extract": [], "Load": [], first: [task], second: []}
        return {"phases": [{"name": name, "tasks": named[name]} for name in ("Extract", "Load")]}

    (change,) = diff_of(compare_phases(phases("Extract", "Load"), phases("Load", "Extract"))).changes
    assert (change.path, change.label) == ("tasks.a/b", "Moved to another phase")
    assert change.pairs == (Pair("Extract", "Load"),)


def test_long_texts_that_differ_everywhere_are_not_compared_line_by_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []

    def counted(*given: Any, **more: Any) -> Any:
        compared.append(1)
        return SequenceMatcher(*given, **more)

    monkeypatch.setattr(diffs, "SequenceMatcher", counted)
    texts = ["\n".join(f"{side} {number}" for number in range(800)) for side in ("before", "after")]
    found = diff_of(
        compare_parameters({str(n): texts[0] for n in range(5)}, {str(n): texts[1] for n in range(5)})
    )
    assert len(compared) == 1
    assert all(len(change.pairs) == 800 for change in found.changes)
