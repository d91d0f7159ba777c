"""Where configurations are used."""

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.rows import Usage
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.session import Session


async def listing(
    session: Session, key: Key, after: tuple[str | None, str | None], limit: int
) -> list[Usage]:
    """The tasks that run the configuration in current versions; raises NotFound if it does not exist."""
    await configurations.load(session, key)
    return await ConfigurationStore(session.connection).using_tasks(
        project=session.project, component=key.component, configuration=key.id, after=after, limit=limit
    )
