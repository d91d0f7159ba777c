"""What people saved in the catalog, and which of it has not been applied yet."""

from collections.abc import Iterable

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.tables import TableName, TableRef

Orchestration = tuple[str, str]


class CatalogStore:
    """Reads only."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def unknown_projects(self, connection: asyncpg.Connection, projects: Iterable[str]) -> set[str]:
        rows = await connection.fetch(self._queries["unknown_projects"], sorted(projects))
        return {row["project"] for row in rows}

    async def stale(self, connection: asyncpg.Connection) -> list[TriggerId]:
        """Triggers that were saved, switched, reset or deleted since the watcher looked."""
        rows = await connection.fetch(self._queries["stale_triggers"])
        return [TriggerId(row["trigger_id"]) for row in rows]

    async def unreconciled(self, connection: asyncpg.Connection) -> list[Orchestration]:
        """Orchestrations whose runs started or ended without the watcher having noticed."""
        rows = await connection.fetch(self._queries["unreconciled_orchestrations"])
        return [(row["project"], row["orchestration"]) for row in rows]

    async def due(self, connection: asyncpg.Connection) -> list[Orchestration]:
        """Orchestrations with a deferred fire whose cool-down is over."""
        rows = await connection.fetch(self._queries["due_orchestrations"])
        return [(row["project"], row["orchestration"]) for row in rows]


def split(tables: Iterable[TableRef]) -> tuple[list[str], list[str]]:
    """Two parallel arrays, as `unnest` takes them."""
    chosen = list(tables)
    return [table.project for table in chosen], [str(table.name) for table in chosen]


def table_ref(project: str, name: str) -> TableRef:
    return TableRef(project, TableName.parse(name))
