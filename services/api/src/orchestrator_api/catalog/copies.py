"""Copies configurations; their secrets are copied without being shown."""

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import ConfigurationSpec, Key
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.ids import ORCHESTRATOR

MAX_NAME = 200


async def refuse_taken(session: Session, key: Key, field: str = "id") -> None:
    """Refuse an id that is in use, also by something in the trash."""
    found = await configurations.find(session, key)
    if found is None or found.is_purged:
        return
    shown = key.id if key.component == ORCHESTRATOR else str(key)
    if found.deleted_at is None:
        raise Conflict(f"{shown} exists already: choose another id", field=field)
    raise Conflict(f"{shown} is in the trash: choose another id, or purge it first", field=field)


def name_of_copy(source: Configuration, name: str | None) -> str:
    """The name that was given, or one that tells the copy from its source."""
    return name or f"{source.name[: MAX_NAME - 7]} (copy)"


async def copy(session: Session, key: Key, new_id: str, name: str | None) -> Key:
    """Copy the current version of a component's configuration; returns the copy's key."""
    session.actor.require_configure(key.component, field="component")
    source, target = await configurations.load(session, key), Key(key.component, new_id)
    await refuse_taken(session, target)
    places = configurations.secret_place(session, key), configurations.secret_place(session, target)
    spec = ConfigurationSpec(
        name_of_copy(source, name),
        source.description,
        True,
        session.encryption.move_secrets(source.parameters, *places),
        f"copied from {key.id}, version {source.version}",
    )
    saved = await configurations.save_component_configuration(session, target, spec)
    if not saved.created:
        raise Conflict(f"{target} was created at the same time: choose another id", field="id")
    return target
