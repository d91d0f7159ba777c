"""Orchestrations as tasks of orchestrations: cycles are found before they are saved."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

MOST_SHOWN = 20


def find_cycle(children: Mapping[str, Iterable[str]], start: str) -> list[str] | None:
    """A way from `start` back to itself, as [a, b, a]; None if there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        parent = waiting.pop()
        for child in sorted(set(children.get(parent, ()))):
            if child == start:
                return _way(came_from, start, parent)
            if child not in came_from:
                came_from[child] = parent
                waiting.append(child)
    return None


def _way(came_from: Mapping[str, str], start: str, last: str) -> list[str]:
    way = [last]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return [*reversed(way), start]


def with_children(
    edges: Iterable[tuple[str, str]], orchestration: str, children: Sequence[str]
) -> dict[str, list[str]]:
    """The graph as it would be with these children in place of the orchestration's present ones."""
    graph: dict[str, list[str]] = {orchestration: list(children)}
    for parent, child in edges:
        if parent != orchestration:
            graph.setdefault(parent, []).append(child)
    return graph


def format_cycle(cycle: Sequence[str]) -> str:
    """The cycle for display; of a very long one, both ends."""
    if len(cycle) > MOST_SHOWN:
        half = MOST_SHOWN // 2
        cycle = [*cycle[:half], f"({len(cycle) - MOST_SHOWN} more)", *cycle[-half:]]
    return " → ".join(cycle)


def knotted(children: Mapping[str, Iterable[str]]) -> set[str]:
    """Those that may be part of a cycle: nodes without children or without parents are not."""
    forth = {name: set(each) for name, each in children.items()}
    back: dict[str, set[str]] = {}
    for name, each in forth.items():
        for child in each:
            back.setdefault(child, set()).add(name)
    left = forth.keys() & back.keys()
    for there, here in ((forth, back), (back, forth)):
        degree = {name: len(there[name] & left) for name in left}
        ends = [name for name, count in degree.items() if count == 0]
        while ends:
            end = ends.pop()
            left.discard(end)
            for other in here.get(end, ()):
                if other in left:
                    degree[other] -= 1
                    if degree[other] == 0:
                        ends.append(other)
    return left


class Nestings:
    """Which orchestration runs which, kept up to date while many are saved at once."""

    def __init__(self, edges: Iterable[tuple[str, str]]) -> None:
        self._children: dict[str, list[str]] = {}
        self._parents: Counter[str] = Counter()
        for parent, child in edges:
            self._children.setdefault(parent, []).append(child)
            self._parents[child] += 1

    def put(self, orchestration: str, children: Sequence[str]) -> list[str] | None:
        """Set its children; returns a cycle through it if that makes one."""
        before = self._children.get(orchestration, [])
        self._children[orchestration] = list(children)
        self._parents.subtract(before)
        self._parents.update(children)
        if set(children) <= set(before) or self._parents[orchestration] == 0:
            return None
        return find_cycle(self._children, orchestration)
