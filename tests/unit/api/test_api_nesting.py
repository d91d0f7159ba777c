"""Cycles of orchestrations, compared with a naive search."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_shared.definitions.nesting import Nestings, find_cycle, format_cycle, knotted, with_children

NAMES = st.sampled_from("abcde")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=5)


def reaches(graph: dict[str, list[str]], start: str) -> bool:
    """Whether a path leads from start back to start."""
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


@given(GRAPHS)
def test_whoever_is_in_a_cycle_is_knotted(graph: dict[str, list[str]]) -> None:
    cyclic = {name for name in graph if reaches(graph, name)}
    assert cyclic <= knotted(graph)
    assert bool(cyclic) == bool(knotted(graph))


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=3)), max_size=8))
def test_a_cycle_is_found_by_the_save_that_makes_it(saves: list[tuple[str, list[str]]]) -> None:
    nestings, graph = Nestings([]), dict[str, list[str]]()
    for name, children in saves:
        graph[name] = children
        cycle = nestings.put(name, children)
        assert (cycle is not None) == reaches(graph, name)
        if cycle is not None:
            return  # refused: nothing after it counts


class CountedReads(dict[str, list[str]]):
    reads = 0

    def get(self, *args: Any) -> Any:
        self.reads += 1
        return super().get(*args)


def test_a_long_chain_is_visited_once() -> None:
    """Fault 11: a plan of 1,000 orchestrations in a row took 17 seconds, and of 3,000 minutes."""
    nestings = Nestings([])
    chain = nestings._children = CountedReads()
    for number in reversed(range(3_000)):
        assert nestings.put(f"o{number}", [f"o{number + 1}"]) is None
    for number in range(3_000):
        assert nestings.put(f"o{number}", [f"o{number + 1}"]) is None
    assert chain.reads < 3 * 3_000
    assert knotted(chain) == set()
    cycle = nestings.put("o3000", ["o0"])
    assert cycle is not None
    assert len(cycle) == 3_002
    assert len(format_cycle(cycle)) < 300
