"""What a query read, by its plan as EXPLAIN (ANALYZE, FORMAT JSON) tells it."""

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def rows_read(plan: Node, table: str | None = None) -> float:
    """How many rows the scans of this table (of any, if None) have looked at."""
    return float(
        sum(
            node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            for node in _nodes(plan)
            if "Relation Name" in node and table in (None, node["Relation Name"])
        )
    )


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
