"""What orchestrations are checked against."""

from collections.abc import Collection, Sequence

from orchestrator_api.orchestrations.rows import (
    ComponentTables,
    ConfigurationName,
    Named,
    TaskTarget,
    TypedComponent,
    WrittenTable,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store

Keys = Sequence[tuple[str, str]]
"""Components and configurations."""


class OrchestrationStore(Store):
    """Reads only: an orchestration itself is a configuration."""

    queries = Queries.load(__package__, "store.sql")

    async def existing_configurations(self, *, project: str, keys: Keys) -> list[ConfigurationName]:
        """Those of these configurations that exist."""
        return await self._many(
            ConfigurationName, "existing_configurations", project=project, **_columns(keys)
        )

    async def existing_components(self, *, components: Collection[str]) -> list[str]:
        """Those of these components that exist."""
        return await self._column(str, "existing_components", components=list(components))

    async def task_targets(self, *, project: str, keys: Keys, with_parameters: bool) -> list[TaskTarget]:
        """The configurations as they are now."""
        return await self._many(
            TaskTarget, "task_targets", project=project, **_columns(keys), with_parameters=with_parameters
        )

    async def component_tables(self, *, components: Collection[str]) -> list[ComponentTables]:
        """The parameters of these components that name tables."""
        return await self._many(ComponentTables, "component_tables", components=list(components))

    async def written_tables(self, *, project: str, keys: Keys) -> list[WrittenTable]:
        """What past jobs of these configurations reported."""
        return await self._many(WrittenTable, "written_tables", project=project, **_columns(keys))

    async def is_table(self, *, project: str, name: str) -> bool:
        """Whether updates of a table of this name were heard."""
        return await self._value(bool, "is_table", project=project, name=name) is True

    async def component_types(self, *, components: Collection[str]) -> list[TypedComponent]:
        """The types of these components."""
        return await self._many(TypedComponent, "component_types", components=list(components))

    async def names(self, *, project: str, limit: int) -> list[Named]:
        """The orchestrations by id."""
        return await self._many(Named, "names", project=project, limit=limit)


def _columns(keys: Keys) -> dict[str, list[str]]:
    return {"components": [key[0] for key in keys], "configurations": [key[1] for key in keys]}
