"""The trash: what was deleted, until it is restored or purged."""

from datetime import datetime

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.rows import Configuration, Trashed
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import NotFound


async def listing(session: Session, before: tuple[datetime | None, str | None], limit: int) -> list[Trashed]:
    """What is in the trash, newest first."""
    at, key = before
    store = ConfigurationStore(session.connection)
    return await store.trash(project=session.project, before=at, before_key=key, limit=limit)


async def load(session: Session, key: Key) -> Configuration:
    """The configuration in the trash, locked; raises NotFound if it is not there."""
    await configurations.lock_orchestrations(session)
    await configurations.lock(session, key)
    found = await configurations.find(session, key)
    if found is None or found.deleted_at is None or found.is_purged:
        raise NotFound(f"{key} is not in the trash", field="configuration")
    return found


async def restore(session: Session, key: Key) -> None:
    """Take it out of the trash, as it was."""
    store = ConfigurationStore(session.connection)
    await store.restore(project=session.project, component=key.component, configuration=key.id)
    await session.record("configuration.restored", str(key), configurations.about(key))


async def purge(session: Session, key: Key, version: int) -> None:
    """Delete all versions; an empty one takes their place, so that the numbers are not used again."""
    store = ConfigurationStore(session.connection)
    place = {"project": session.project, "component": key.component, "configuration": key.id}
    await store.delete_versions(**place)
    await store.insert_version(
        **place, version=version + 1, parameters={}, note="purged", author=session.actor.label
    )
    await store.purge(**place)
    await session.record("configuration.purged", str(key), configurations.about(key), version=version)
