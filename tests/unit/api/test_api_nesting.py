"""Cycles of orchestrations, against an obvious search."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_shared.definitions.nesting import find_cycle, with_children

NAMES = st.sampled_from("abcde")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=5)


def reaches(graph: dict[str, list[str]], start: str) -> bool:
    """Whether some way leads from start back to start."""
    seen: set[str] = set()
    border = set(graph.get(start, ()))
    while border:
        seen |= border
        border = {child for name in border for child in graph.get(name, ())} - seen
    return start in seen


@given(GRAPHS, NAMES)
def test_a_cycle_is_found_if_and_only_if_there_is_one(graph: dict[str, list[str]], start: str) -> None:
    cycle = find_cycle(graph, start)
    assert (cycle is not None) == reaches(graph, start)
    if cycle is not None:
        assert cycle[0] == cycle[-1] == start
        assert start not in cycle[1:-1]
        assert all(child in graph[parent] for parent, child in itertools.pairwise(cycle))


def test_new_children_replace_the_present_ones() -> None:
    graph = with_children([("a", "b"), ("b", "a")], "a", ["c"])
    assert find_cycle(graph, "a") is None
