"""Orchestrations as tasks of orchestrations: cycles are found before they are saved."""

from collections.abc import Iterable, Mapping, Sequence


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
