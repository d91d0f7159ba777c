"""Values are the same only if their keys stand in the same order."""

from typing import Any

import pytest

from orchestrator_shared.domain.ordered import same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ([{"x": {"a": 1, "b": 2}}], [{"x": {"b": 2, "a": 1}}], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [1], False),
        ((1, 2), [1, 2], True),
        (1, 1.0, True),
        (1, True, False),
        (None, {}, False),
        ("a", "a", True),
    ],
)
def test_same(one: Any, other: Any, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected
