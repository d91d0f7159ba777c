"""Components in the database."""

from orchestrator_api.catalog.rows import Component
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.database.store import Store


class ComponentStore(Store):
    """Writes components, which all projects share."""

    queries = Queries.load(__package__, "store.sql")

    async def components(self, *, after: str | None, limit: int | None) -> list[Component]:
        """All components, by id."""
        return await self._many(Component, "components", after=after, limit=limit)

    async def lock(self) -> None:
        """Keep others from registering and changing components until the transaction ends."""
        await self._run("lock_components")

    async def component(self, *, component: str) -> Component | None:
        """One component."""
        return await self._one(Component, "component", component=component)

    async def save(
        self,
        *,
        component: str,
        name: str,
        kind: str,
        executor: str,
        after_crash: str,
        definition: JsonObject,
    ) -> None:
        """Register a component or change it."""
        await self._run(
            "save_component",
            component=component,
            name=name,
            kind=kind,
            executor=executor,
            after_crash=after_crash,
            definition=definition,
        )
