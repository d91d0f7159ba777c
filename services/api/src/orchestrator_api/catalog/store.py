"""Configurations and their versions in the database."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from orchestrator_api.catalog.rows import (
    ComponentUse,
    Configuration,
    ConfigurationFilter,
    ConfigurationState,
    ConfigurationVersion,
    CurrentVersion,
    LabelInUse,
    ListedKey,
    ListedStart,
    Nesting,
    OrchestrationCounts,
    OverrideTarget,
    Trashed,
    Usage,
    UsageCount,
    VariableUser,
    WrittenVersion,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import JsonObject, columns_of
from orchestrator_shared.database.store import Store


class ConfigurationStore(Store):
    """Writes configurations; orchestrations are those of the component orchestrator."""

    queries = Queries.load(__package__, "store.sql")

    async def orchestrations(self, *, project: str) -> list[Configuration]:
        """All that are not in the trash."""
        return await self._many(Configuration, "all_orchestrations", project=project)

    async def taken_names(self, *, project: str, names: Collection[str]) -> set[str]:
        """Which of these names orchestrations have; upper and lower case are the same."""
        return set(await self._column(str, "taken_names", project=project, names=list(names)))

    async def listed_keys(
        self,
        order: Literal["id", "name", "update"],
        *,
        project: str,
        wanted: ConfigurationFilter,
        after: Mapping[str, str | datetime | None],
        limit: int,
        backwards: bool,
    ) -> list[ListedKey]:
        """Which configurations a page shows, by component and then in this order, from `after` a place on.

        Those of one component, or of all except orchestrations.
        """
        query = f"configurations_by_{order}{'_backwards' if backwards else ''}"
        return await self._many(ListedKey, query, project=project, **columns_of(wanted), **after, limit=limit)

    async def orchestrations_by_next_fire(
        self,
        *,
        project: str,
        wanted: ConfigurationFilter,
        after_fire: datetime | None,
        after: str | None,
        limit: int,
    ) -> list[ListedStart]:
        """Which orchestrations a page shows, by the next fire of their schedules and id."""
        return await self._many(
            ListedStart,
            "orchestrations_by_next_fire",
            project=project,
            **columns_of(wanted),
            after_fire=after_fire,
            after=after,
            limit=limit,
        )

    async def counts_of_orchestrations(
        self, *, project: str, search: str | None, labels: Collection[str] | None, looked: int
    ) -> OrchestrationCounts:
        """How many of the first orchestrations that match each filter shows."""
        found = await self._one(
            OrchestrationCounts,
            "counts_of_orchestrations",
            project=project,
            search=search,
            labels=labels,
            looked=looked,
        )
        assert found is not None, "an aggregate has one row"
        return found

    async def labels_in_use(self, *, project: str, limit: int) -> list[LabelInUse]:
        """The labels of the project's orchestrations, those of most of them first."""
        return await self._many(LabelInUse, "labels_in_use", project=project, limit=limit)

    async def listed(self, *, project: str, keys: Collection[ListedKey]) -> list[Configuration]:
        """These configurations, in the same order."""
        return await self._many(
            Configuration,
            "listed_configurations",
            project=project,
            components=[each.component for each in keys],
            configurations=[each.id for each in keys],
            names=[each.name for each in keys],
            updates=[each.updated_at for each in keys],
        )

    async def configuration(
        self, *, project: str, component: str, configuration: str
    ) -> Configuration | None:
        """One configuration, even if deleted."""
        return await self._one(
            Configuration, "configuration", project=project, component=component, configuration=configuration
        )

    async def lock(self, *, project: str, component: str, configuration: str) -> None:
        """Lock the configuration, even one that does not exist yet, until the transaction ends."""
        place = {"project": project, "component": component, "configuration": configuration}
        if await self._value(int, "lock_configuration", **place) is None:
            await self.lock_creations(project=project)
            await self._run("lock_configuration", **place)

    async def lock_creations(self, *, project: str) -> None:
        """Keep others from creating configurations and variables until the transaction ends."""
        await self._run("lock_creations_of_project", project=project)

    async def lock_orchestration(self, *, project: str, orchestration: str) -> bool:
        """Lock the orchestration and what belongs to it; returns False if it does not exist."""
        found = await self._value(str, "lock_orchestration", project=project, orchestration=orchestration)
        return found is not None

    async def lock_orchestrations(self, *, project: str) -> None:
        """Lock the project's orchestrations against other saves until the transaction ends."""
        await self._run("lock_orchestrations_of_project", project=project)

    async def insert(
        self,
        *,
        project: str,
        component: str,
        configuration: str,
        name: str,
        description: str,
        labels: Collection[str],
        enabled: bool,
    ) -> bool:
        """Add a configuration in its first version; returns False if it exists, even if deleted."""
        inserted = await self._value(
            str,
            "insert_configuration",
            project=project,
            component=component,
            configuration=configuration,
            name=name,
            description=description,
            labels=list(labels),
            enabled=enabled,
        )
        return inserted is not None

    async def update(
        self,
        *,
        project: str,
        component: str,
        configuration: str,
        name: str,
        description: str,
        labels: Collection[str],
        enabled: bool,
        version: int,
    ) -> None:
        """Change the configuration, and restore it if it was deleted."""
        await self._run(
            "update_configuration",
            project=project,
            component=component,
            configuration=configuration,
            name=name,
            description=description,
            labels=list(labels),
            enabled=enabled,
            version=version,
        )

    async def delete(self, *, project: str, component: str, configuration: str, deleted_by: str) -> None:
        """Move it to the trash."""
        await self._run(
            "delete_configuration",
            project=project,
            component=component,
            configuration=configuration,
            deleted_by=deleted_by,
        )

    async def restore(self, *, project: str, component: str, configuration: str) -> None:
        """Take it out of the trash."""
        await self._run(
            "restore_configuration", project=project, component=component, configuration=configuration
        )

    async def purge(self, *, project: str, component: str, configuration: str) -> None:
        """Mark it as gone for good, under a new version number."""
        await self._run(
            "purge_configuration", project=project, component=component, configuration=configuration
        )

    async def delete_versions(self, *, project: str, component: str, configuration: str) -> None:
        """Delete all versions."""
        await self._run("delete_versions", project=project, component=component, configuration=configuration)

    async def trash(
        self, *, project: str, before: datetime | None, before_key: str | None, limit: int
    ) -> list[Trashed]:
        """What is in the trash, newest first."""
        return await self._many(
            Trashed, "trash", project=project, before=before, before_key=before_key, limit=limit
        )

    async def insert_version(
        self,
        *,
        project: str,
        component: str,
        configuration: str,
        version: int,
        parameters: JsonObject,
        note: str,
        author: str,
    ) -> None:
        """Store a version."""
        await self._run(
            "insert_version",
            project=project,
            component=component,
            configuration=configuration,
            version=version,
            parameters=parameters,
            note=note,
            author=author,
        )

    async def versions(
        self, *, project: str, component: str, configuration: str, before: int | None, limit: int
    ) -> list[WrittenVersion]:
        """The versions, newest first."""
        return await self._many(
            WrittenVersion,
            "versions",
            project=project,
            component=component,
            configuration=configuration,
            before=before,
            limit=limit,
        )

    async def version_sizes(
        self, *, project: str, component: str, configuration: str, before: int | None, limit: int
    ) -> list[int]:
        """The sizes of the same versions, in bytes."""
        return await self._column(
            int,
            "version_sizes",
            project=project,
            component=component,
            configuration=configuration,
            before=before,
            limit=limit,
        )

    async def version(
        self, *, project: str, component: str, configuration: str, version: int
    ) -> ConfigurationVersion | None:
        """One version of a configuration."""
        return await self._one(
            ConfigurationVersion,
            "version",
            project=project,
            component=component,
            configuration=configuration,
            version=version,
        )

    async def written_version(
        self, *, project: str, component: str, configuration: str, version: int
    ) -> WrittenVersion | None:
        """The same, its parameters as text."""
        return await self._one(
            WrittenVersion,
            "written_version",
            project=project,
            component=component,
            configuration=configuration,
            version=version,
        )

    async def states(self, *, project: str) -> list[ConfigurationState]:
        """The states of all configurations except orchestrations."""
        return await self._many(ConfigurationState, "configuration_states", project=project)

    async def named_sizes(self, *, project: str, wanted: Collection[tuple[str, str]]) -> list[int]:
        """The sizes of the parameters of `named`, in bytes."""
        return await self._column(int, "named_configuration_sizes", project=project, **_columns(wanted))

    async def named(self, *, project: str, wanted: Collection[tuple[str, str]]) -> list[Configuration]:
        """Those of these configurations that exist, without orchestrations; pairs of component and id."""
        return await self._many(Configuration, "named_configurations", project=project, **_columns(wanted))

    async def current_versions(
        self, *, project: str, wanted: Collection[tuple[str, str]]
    ) -> list[CurrentVersion]:
        """The current versions of those of these configurations that exist."""
        return await self._many(CurrentVersion, "current_versions", project=project, **_columns(wanted))

    async def override_targets(
        self, *, project: str, wanted: Collection[tuple[str, str, int | None]]
    ) -> list[OverrideTarget]:
        """Those of these configurations that exist, each in the requested version."""
        return await self._many(
            OverrideTarget,
            "override_targets",
            project=project,
            components=[component for component, _, _ in wanted],
            configurations=[configuration for _, configuration, _ in wanted],
            versions=[version for _, _, version in wanted],
        )

    async def usages(self, *, project: str, component: str, configuration: str) -> list[str]:
        """The orchestrations that run the configuration."""
        return await self._column(
            str, "usages", project=project, component=component, configuration=configuration
        )

    async def using_tasks(
        self,
        *,
        project: str,
        component: str,
        configuration: str,
        after: tuple[str | None, str | None],
        limit: int,
    ) -> list[Usage]:
        """The tasks that run the configuration, by orchestration and task id."""
        return await self._many(
            Usage,
            "using_tasks",
            project=project,
            component=component,
            configuration=configuration,
            after=after[0],
            after_task=after[1],
            limit=limit,
        )

    async def usage_counts(self, *, project: str, wanted: Collection[tuple[str, str]]) -> list[UsageCount]:
        """How many orchestrations run each of these configurations; without those that none runs."""
        return await self._many(
            UsageCount,
            "usage_counts",
            project=project,
            components=[component for component, _ in wanted],
            configurations=[configuration for _, configuration in wanted],
        )

    async def components_in_use(self, *, project: str) -> list[ComponentUse]:
        """The components that the project has configurations of, and of how many."""
        return await self._many(ComponentUse, "components_in_use", project=project)

    async def nestings(self, *, project: str) -> list[Nesting]:
        """Which orchestration runs which in the current versions."""
        return await self._many(Nesting, "nestings", project=project)

    async def nestings_below(self, *, project: str, orchestrations: Collection[str]) -> list[Nesting]:
        """The orchestrations that these run, directly or through others."""
        return await self._many(
            Nesting, "nestings_below", orchestrations=list(orchestrations), project=project
        )

    async def variable_users(
        self, *, project: str, name: str, max_bytes: int | None = None
    ) -> list[VariableUser]:
        """Everything that names the variable, or has secrets that may name it."""
        return await self._many(
            VariableUser, "variable_users", project=project, name=name, max_bytes=max_bytes
        )


def _columns(wanted: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """Pairs of component and id as the two arrays that statements unnest."""
    return {
        "components": [component for component, _ in wanted],
        "configurations": [configuration for _, configuration in wanted],
    }
