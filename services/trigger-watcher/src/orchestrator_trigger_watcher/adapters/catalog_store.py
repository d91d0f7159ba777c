"""What people saved in the catalog, and which of it the watcher does not know yet."""

from collections.abc import Iterable
from datetime import timedelta

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.statuses import CoolDownMode
from orchestrator_shared.domain.tables import TableName, TableRef
from orchestrator_trigger_watcher.domain.states import Definition

Orchestration = tuple[str, str]


class CatalogStore:
    """Reads only."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def definition(self, connection: asyncpg.Connection, trigger_id: TriggerId) -> Definition | None:
        row = await connection.fetchrow(self._queries["read_definition"], trigger_id)
        return None if row is None else _definition(row)

    async def unknown_projects(self, connection: asyncpg.Connection, projects: Iterable[str]) -> set[str]:
        rows = await connection.fetch(self._queries["unknown_projects"], sorted(projects))
        return {row["project"] for row in rows}

    async def stale_of_tables(
        self, connection: asyncpg.Connection, tables: Iterable[TableRef]
    ) -> list[TriggerId]:
        """Triggers on these tables that were saved, switched, reset or deleted since the watcher looked."""
        projects, names = split(tables)
        rows = await connection.fetch(self._queries["stale_triggers_of_tables"], projects, names)
        return [TriggerId(row["trigger_id"]) for row in rows]

    async def stale(self, connection: asyncpg.Connection) -> list[TriggerId]:
        return [
            TriggerId(row["trigger_id"]) for row in await connection.fetch(self._queries["stale_triggers"])
        ]

    async def unsettled(self, connection: asyncpg.Connection) -> list[Orchestration]:
        """Orchestrations whose runs started or ended without the watcher having taken note."""
        rows = await connection.fetch(self._queries["unsettled_orchestrations"])
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


def _definition(row: asyncpg.Record) -> Definition:
    return Definition(
        id=TriggerId(row["id"]),
        project=row["project"],
        orchestration=row["orchestration"],
        name=row["name"],
        version=row["version"],
        reset_count=row["reset_count"],
        enabled=row["enabled"],
        cool_down=timedelta(seconds=row["cool_down_seconds"]),
        mode=CoolDownMode(row["mode"]),
        deleted=row["deleted"],
        tables=frozenset(table_ref(project, name) for project, name in row["tables"]),
    )
