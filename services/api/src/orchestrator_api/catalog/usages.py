"""Where configurations are used."""

from collections.abc import Collection

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.rows import ComponentUse, Usage
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.session import Session


async def listing(
    session: Session, key: Key, after: tuple[str | None, str | None], limit: int
) -> list[Usage]:
    """The tasks that run the configuration in current versions; raises NotFound if it does not exist."""
    await configurations.current(session, key)
    return await ConfigurationStore(session.connection).using_tasks(
        project=session.project, component=key.component, configuration=key.id, after=after, limit=limit
    )


async def counts(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many orchestrations run each of these configurations; without those that none runs."""
    store = ConfigurationStore(session.connection)
    found = await store.usage_counts(project=session.project, wanted=sorted(keys)) if keys else []
    return {(each.component, each.id): each.orchestrations for each in found}


async def components_in_use(session: Session) -> list[ComponentUse]:
    """The components that the project has configurations of, and of how many."""
    return await ConfigurationStore(session.connection).components_in_use(project=session.project)
