"""What changed in a document: by path, masked, bounded."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_api.access.differences import MAX_CHANGES, MAX_CHARACTERS, MAX_TEXT, differences

CHANGED = {"path": "#p", "kind": "changed", "secret": True}
CASES: list[tuple[Any, Any, list[dict[str, Any]]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": True}, [{"path": "a", "kind": "changed", "before": 1, "after": True}]),
    (None, {"a": 1}, [{"path": "a", "kind": "added", "after": 1}]),
    ({"a": {"b": None}}, None, [{"path": "a", "kind": "removed", "before": {"b": None}}]),
    (
        {"a": {"b": 1, "c": 2}},
        {"a": {"b": 1, "c": 3}},
        [{"path": "a.c", "kind": "changed", "before": 2, "after": 3}],
    ),
    (
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        [{"path": "", "kind": "reordered", "before": ["a", "b"], "after": ["b", "a"]}],
    ),
    ({"l": [1, 2, 3]}, {"l": [0, 1, 2, 3]}, [{"path": "l.0", "kind": "added", "after": 0}]),
    ({"l": [1, 2, 3]}, {"l": [1, 3]}, [{"path": "l.1", "kind": "removed", "before": 2}]),
    ({"l": [1, 2, 3]}, {"l": [1, 5, 3]}, [{"path": "l.1", "kind": "changed", "before": 2, "after": 5}]),
    (
        {"l": [{"id": "x", "n": 1}, {"id": "y", "n": 1}]},
        {"l": [{"id": "y", "n": 2}]},
        [
            {"path": "l.x", "kind": "removed", "before": {"id": "x", "n": 1}},
            {"path": "l.y.n", "kind": "changed", "before": 1, "after": 2},
        ],
    ),
    ({"#p": "a"}, {"#p": "b"}, [{**CHANGED, "before": "***", "after": "***"}]),
    ({"#p": "a"}, {"#p": None}, [{**CHANGED, "before": "***", "after": None}]),
    ({}, {"#p": {"x": ["s"]}}, [{"path": "#p", "kind": "added", "after": "***", "secret": True}]),
    ({"l": [{"#p": "a"}]}, {"l": []}, [{"path": "l.0", "kind": "removed", "before": {"#p": "***"}}]),
    (
        {"l": [{"name": "#x", "v": 1}]},
        {"l": [{"name": "#x", "v": 2}]},
        [{"path": "l.0.v", "kind": "changed", "before": 1, "after": 2}],
    ),
]


@pytest.mark.parametrize(("before", "after", "changes"), CASES)
def test_changes(before: Any, after: Any, changes: list[dict[str, Any]]) -> None:
    found = differences(before, after)
    assert (found.changes, found.omitted) == (changes, 0)


def test_long_values_and_many_changes_are_cut() -> None:
    found = differences({}, {"text": "x" * 100_000})
    assert found.changes[0]["after"] == "x" * MAX_TEXT + "… (100000 characters)"
    many = differences({}, {str(number): number for number in range(MAX_CHANGES + 7)})
    assert (len(many.changes), many.omitted) == (MAX_CHANGES, 7)
    wide = differences({}, {"l": [{"k" * 400: "v" * 400} for _ in range(10_000)], "m": 1})
    assert len(json.dumps(wide.changes)) < 2 * MAX_CHARACTERS
    assert (wide.changes[0]["after"][-1], wide.omitted) == ("… 9980 more", 1)


def test_a_deep_document_is_compared_once() -> None:
    """Comparing each level as a whole before its parts would look at what is deep down once per level."""
    looks = 0

    class Counted(int):
        def __eq__(self, other: object) -> bool:
            nonlocal looks
            looks += 1
            return int(self) == other

        __hash__ = int.__hash__

    def nested(value: int) -> Any:
        found: Any = [Counted(1), value]
        for _ in range(50):
            found = {"x": found}
        return found

    differences(nested(1), nested(2))
    assert looks < 10


SECRET = "secret-of-the-property"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "id", "name"]), inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["#s", "#"]), st.just(SECRET) | st.just([SECRET]) | st.just({"a": SECRET})
        )
    ),
    max_leaves=20,
)
documents = st.dictionaries(st.sampled_from(["a", "b", "#c"]), values, max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(documents, documents)
def test_no_secret_is_shown_and_nothing_is_missed(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = differences(before, after)
    assert SECRET not in json.dumps(found.changes)
    assert (found.changes == []) == (json.dumps(before) == json.dumps(after))
    assert differences(before, before).changes == []
