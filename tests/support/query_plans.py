"""What a query read, by its plan as EXPLAIN (ANALYZE, FORMAT JSON) tells it."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg

Node = dict[str, Any]


async def explained(connection: asyncpg.Connection, sql: str, arguments: str) -> Node:
    """The plan of a statement that was carried out, prepared as services do."""
    await connection.execute(f"PREPARE tried AS {sql}")
    execute = f"EXECUTE tried ({arguments})" if arguments else "EXECUTE tried"
    plan = json.loads(
        await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, VERBOSE, FORMAT JSON) {execute}")
    )
    await connection.execute("DEALLOCATE tried")
    found: Node = plan[0]["Plan"]
    return found


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
