"""Saves and deletes configurations; every save that changes something creates a new version."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from orchestrator_api.access.audit import About
from orchestrator_api.catalog.component_store import ComponentStore
from orchestrator_api.catalog.parameters import check_parameters
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.rows import (
    Component,
    Configuration,
    ConfigurationFilter,
    ConfigurationState,
    ConfigurationVersion,
    CurrentVersion,
)
from orchestrator_api.catalog.secrets import remaining_masks
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.edits import Target
from orchestrator_api.http.paging import Part
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.ordered import same
from orchestrator_shared.sealed_values import check_sealed
from orchestrator_shared.secret_handles import handles_of, mask_for_editing, restore_masked
from orchestrator_shared.secret_places import SecretPlace, of_parameters

Stored = TypeVar("Stored", Configuration, ConfigurationVersion)
ORCHESTRATION = "orchestration"
NO_ORCHESTRATION = "orchestrations have their own resource: use …/orchestrations/{id}"


@dataclass(frozen=True, slots=True)
class Key:
    """Identifies a configuration."""

    component: str
    id: str

    def __str__(self) -> str:
        return f"{self.component}/{self.id}"


def orchestration_key(orchestration: str) -> Key:
    """An orchestration is a configuration of the component orchestrator."""
    return Key(ORCHESTRATOR, orchestration)


def component_key(component: str, configuration: str) -> Key:
    """The key of a component's configuration.

    Raises NotFound for orchestrations, which have a resource of their own.
    """
    if component == ORCHESTRATOR:
        raise NotFound(NO_ORCHESTRATION, field="component")
    return Key(component, configuration)


@dataclass(frozen=True, slots=True)
class ConfigurationSpec:
    """The configuration to save."""

    name: str
    description: str
    enabled: bool
    parameters: JsonObject
    note: str = ""
    labels: Sequence[str] = ()
    """Of orchestrations."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of a save."""

    version: int
    created: bool
    changed: bool
    switched: bool
    """The configuration was created or restored, or its enabled flag changed."""


def _given(what: "Configuration | ConfigurationSpec") -> dict[str, Any]:
    """What people give it besides parameters."""
    return {
        "name": what.name,
        "description": what.description,
        "labels": list(what.labels),
        "enabled": what.enabled,
    }


def _place(session: Session, key: Key) -> dict[str, Any]:
    return {"project": session.project, "component": key.component, "configuration": key.id}


def secret_place(session: Session, key: Key) -> SecretPlace:
    """What the secrets in its parameters are for."""
    return of_parameters(session.project, key.component, key.id)


async def find(session: Session, key: Key) -> Configuration | None:
    """The configuration as stored, even if deleted; None if it never existed."""
    return await ConfigurationStore(session.connection).configuration(**_place(session, key))


async def load(session: Session, key: Key) -> Configuration:
    """The configuration as stored; raises NotFound if it does not exist or is deleted."""
    found = await find(session, key)
    if found is None or found.deleted_at is not None:
        raise _missing(key)
    return found


async def current(session: Session, key: Key) -> CurrentVersion:
    """The same without what may be large; raises NotFound, too."""
    found = await existing(session, [(key.component, key.id)])
    if not found:
        raise _missing(key)
    return found[0]


def _missing(key: Key) -> NotFound:
    is_orchestration = key.component == ORCHESTRATOR
    what, shown = (ORCHESTRATION, key.id) if is_orchestration else ("configuration", str(key))
    return NotFound(f"there is no {what} {shown!r} in this project", field=what)


async def lock(session: Session, key: Key) -> None:
    """Lock the configuration against other saves until the transaction ends."""
    await ConfigurationStore(session.connection).lock(**_place(session, key))


async def find_version(session: Session, key: Key, version: int) -> ConfigurationVersion | None:
    """One version of a configuration as stored."""
    store = ConfigurationStore(session.connection)
    return await store.version(**_place(session, key), version=version)


async def existing(session: Session, keys: Iterable[tuple[str, str]]) -> list[CurrentVersion]:
    """Which of these configurations exist: their current versions, and who saved them when."""
    store = ConfigurationStore(session.connection)
    return await store.current_versions(project=session.project, wanted=sorted(set(keys)))


async def all_states(session: Session) -> list[ConfigurationState]:
    """Which configurations there are except orchestrations, and in which states."""
    return await ConfigurationStore(session.connection).states(project=session.project)


async def named(session: Session, keys: Iterable[tuple[str, str]], *, max_bytes: int) -> list[Configuration]:
    """Those of these configurations that exist; refuses to read more than `max_bytes` of parameters."""
    store, wanted = ConfigurationStore(session.connection), sorted(set(keys))
    if sum(await store.named_sizes(project=session.project, wanted=wanted)) > max_bytes:
        raise UserError(
            f"the stored parameters of these configurations exceed {max_bytes // 1024**2} MiB: "
            "send fewer documents at a time",
            field="documents",
        )
    return await store.named(project=session.project, wanted=wanted)


async def all_orchestrations(session: Session) -> list[Configuration]:
    """The configurations of orchestrations."""
    return await ConfigurationStore(session.connection).orchestrations(project=session.project)


async def all_in_batches(session: Session) -> AsyncIterator[list[Configuration]]:
    """All configurations except orchestrations, a few megabytes at a time."""
    store = ConfigurationStore(session.connection)
    component: str | None = None
    after: str | None = None
    wanted = ConfigurationFilter()
    while True:
        part = Part()
        keys = await store.listed_keys(
            "id",
            project=session.project,
            wanted=wanted,
            after={"after_component": component, "after": after},
            limit=part.limit,
            backwards=False,
        )
        part = part.within([key.size for key in keys])
        found = await store.listed(project=session.project, keys=keys[: part.limit])
        if not found:
            return
        yield found
        component, after = found[-1].component, found[-1].id


async def taken_names(session: Session, names: Collection[str]) -> set[str]:
    """Which of these names orchestrations have."""
    return await ConfigurationStore(session.connection).taken_names(project=session.project, names=names)


async def nestings(session: Session) -> list[tuple[str, str]]:
    """Which orchestration runs which in the current versions: pairs of parent and child."""
    found = await ConfigurationStore(session.connection).nestings(project=session.project)
    return [(each.parent, each.child) for each in found]


async def nestings_below(session: Session, orchestrations: Collection[str]) -> list[tuple[str, str]]:
    """The same for these orchestrations, and those that they run directly or through others."""
    store = ConfigurationStore(session.connection)
    found = await store.nestings_below(project=session.project, orchestrations=orchestrations)
    return [(each.parent, each.child) for each in found]


async def lock_orchestrations(session: Session) -> None:
    """Serialize saves of a project's orchestrations: two concurrent ones could create a cycle together."""
    await ConfigurationStore(session.connection).lock_orchestrations(project=session.project)


async def lock_creations(session: Session) -> None:
    """Keep others from creating what has no row yet that could be locked."""
    await ConfigurationStore(session.connection).lock_creations(project=session.project)


def masked(stored: Stored) -> Stored:
    """The configuration with its secrets masked."""
    return replace(stored, parameters=mask_for_editing(stored.parameters))


def all_masked(stored: Sequence[Stored]) -> list[Stored]:
    """The same for many; slow if they are large."""
    return [masked(each) for each in stored]


async def save_component_configuration(session: Session, key: Key, spec: ConfigurationSpec) -> Saved:
    """Save a configuration of a component, with its parameters checked against the component's schema."""
    if key.component == ORCHESTRATOR:
        raise UserError(NO_ORCHESTRATION, field="component")
    session.actor.require_configure(key.component, field="component")
    component = await ComponentStore(session.connection).component(component=key.component)
    if component is None:
        raise UserError(f"there is no component {key.component!r}: register it first", field="component")
    # Locked before it is read: another save could change what a mask stands for.
    await lock(session, key)
    stored = await find(session, key)
    parameters = restore_secrets(session, key, spec.parameters, stored)
    refuse(await wrong_parameters(session, key, parameters, component))
    return await save(session, key, replace(spec, parameters=parameters))


async def wrong_parameters(
    session: Session, key: Key, parameters: JsonObject, component: Component
) -> list[FieldError]:
    """What the component's schema says against parameters whose secrets are encrypted."""
    clear = session.encryption.decrypt_secrets(parameters, secret_place(session, key))
    schema = component.definition.get("parameters") or {}
    found: list[FieldError] = await session.offload.run(
        check_parameters, clear, schema, budget=session.step_budget
    )
    return found


def restore_secrets(
    session: Session, key: Key, parameters: JsonObject, stored: Configuration | None
) -> JsonObject:
    """The parameters as they are stored, with masks replaced by their secrets; rejects other masks.

    Secrets that are kept are not encrypted again, so the handles in people's files stay valid.
    """
    before = stored.parameters if stored else {}
    whole: JsonObject = restore_masked(parameters, before, handles_of(before))
    refuse(remaining_masks(whole, "parameters"))
    return session.encrypted(whole, secret_place(session, key), "parameters")


async def save(session: Session, key: Key, spec: ConfigurationSpec) -> Saved:
    """Write the configuration: a new version if the parameters differ, nothing if nothing differs.

    The secrets are encrypted: whoever calls this knows whom each of them is for.
    """
    encrypted = spec.parameters
    check_sealed(encrypted)
    store, place = ConfigurationStore(session.connection), _place(session, key)
    if await store.insert(**place, **_given(spec)):
        await _insert_version(session, key, 1, encrypted, spec.note)
        return await _created(session, key, spec, 1, encrypted)
    await store.lock(**place)
    stored = await find(session, key)
    assert stored is not None
    if stored.is_purged:
        return await _reuse(session, key, spec, stored.version, encrypted)
    return await _update(session, key, spec, stored, encrypted)


async def _reuse(
    session: Session, key: Key, spec: ConfigurationSpec, version: int, encrypted: JsonObject
) -> Saved:
    """Create a configuration under the id of a purged one, whose empty version it replaces."""
    store, place = ConfigurationStore(session.connection), _place(session, key)
    await store.delete_versions(**place)
    await _insert_version(session, key, version, encrypted, spec.note)
    await store.update(**place, **_given(spec), version=version)
    return await _created(session, key, spec, version, encrypted)


async def _created(
    session: Session, key: Key, spec: ConfigurationSpec, version: int, encrypted: JsonObject
) -> Saved:
    clear = session.encryption.read_secrets(encrypted, session.project)
    about_it = about(key, after=_document(key, spec, clear))
    await session.record("configuration.created", str(key), about_it, version=version)
    return Saved(version=version, created=True, changed=True, switched=True)


def _same(key: Key, before: JsonObject, now: JsonObject) -> bool:
    """Compare the order of keys, too; in an orchestration only within the tasks' parameters."""
    if key.component != ORCHESTRATOR:
        return same(before, now)
    parameters = [[task.get("parameters") for task in stored_tasks(each)] for each in (before, now)]
    return before == now and same(*parameters)


async def _update(
    session: Session, key: Key, spec: ConfigurationSpec, stored: Configuration, encrypted: JsonObject
) -> Saved:
    read = session.encryption.read_secrets
    before, after = read(stored.parameters, session.project), read(encrypted, session.project)
    new_version = not _same(key, before, after)
    revived = stored.deleted_at is not None
    switched = revived or stored.enabled != spec.enabled
    renamed = {**_given(stored), "enabled": spec.enabled} != _given(spec)
    version = stored.version + (1 if new_version else 0)
    if not (new_version or switched or renamed):
        return Saved(version, created=False, changed=False, switched=False)
    if new_version:
        await _insert_version(session, key, version, encrypted, spec.note)
    await ConfigurationStore(session.connection).update(
        **_place(session, key), **_given(spec), version=version
    )
    action = "configuration.restored" if revived else "configuration.changed"
    about_it = about(key, _document(key, stored, before), _document(key, spec, after))
    await session.record(action, str(key), about_it, version=version, enabled=spec.enabled)
    return Saved(version, created=revived, changed=True, switched=switched)


def _document(key: Key, what: Configuration | ConfigurationSpec, clear: JsonObject) -> JsonObject:
    """What people edit, for the audit log."""
    document = {"name": what.name, "description": what.description, "enabled": what.enabled}
    if key.component != ORCHESTRATOR:
        return {**document, "parameters": clear}
    return {**document, **({"labels": list(what.labels)} if what.labels else {}), **clear}


def about(key: Key, before: JsonObject | None = None, after: JsonObject | None = None) -> About:
    kind = ORCHESTRATION if key.component == ORCHESTRATOR else "configuration"
    return About(before, after, kind)


async def _insert_version(session: Session, key: Key, version: int, encrypted: JsonObject, note: str) -> None:
    await ConfigurationStore(session.connection).insert_version(
        **_place(session, key),
        version=version,
        parameters=encrypted,
        note=note,
        author=session.actor.label,
    )


async def delete(session: Session, key: Key) -> None:
    """Delete a configuration that no orchestration runs."""
    session.actor.require_configure(key.component)
    await lock_orchestrations(session)
    stored = await load(session, key)
    store, place = ConfigurationStore(session.connection), _place(session, key)
    users = await store.usages(**place)
    others = [user for user in users if (key.component, key.id) != (ORCHESTRATOR, user)]
    if others:
        raise Conflict(f"{key} is a task of {', '.join(others)}: remove it there first")
    await store.delete(**place, deleted_by=session.actor.label)
    before = {"name": stored.name, "description": stored.description, "enabled": stored.enabled}
    await session.record("configuration.deleted", str(key), about(key, before), version=stored.version)


async def switch(session: Session, key: Key, enabled: bool) -> bool:
    """Enable or disable a configuration; returns whether that changed anything."""
    store, place = ConfigurationStore(session.connection), _place(session, key)
    await store.lock(**place)
    stored = await load(session, key)
    if stored.enabled == enabled:
        return False
    await store.update(**place, **{**_given(stored), "enabled": enabled}, version=stored.version)
    about_it = about(key, {"enabled": stored.enabled}, {"enabled": enabled})
    await session.record("configuration.changed", str(key), about_it, version=stored.version, enabled=enabled)
    return True


async def target(session: Session, key: Key, *, deleting: bool = False) -> Target:
    """A configuration that may not exist yet, locked to be saved or deleted."""
    is_orchestration = key.component == ORCHESTRATOR
    session.actor.require_configure(key.component, field=None if is_orchestration else "component")
    if is_orchestration or deleting:  # first, as always: otherwise two requests could wait for each other
        await lock_orchestrations(session)
    return await _locked(session, key)


async def component_target(session: Session, key: Key) -> Target:
    """The same for a component's configuration that is to be saved."""
    if key.component == ORCHESTRATOR:
        raise UserError(NO_ORCHESTRATION, field="component")
    return await target(session, key)


async def switch_target(session: Session, key: Key) -> Target:
    """The same for whoever only enables or disables it."""
    session.actor.require_switch()
    return await _locked(session, key)


async def _locked(session: Session, key: Key) -> Target:
    await ConfigurationStore(session.connection).lock(**_place(session, key))
    stored = await find(session, key)
    shown = "this orchestration" if key.component == ORCHESTRATOR else "this configuration"
    if stored is None or stored.deleted_at is not None:
        return Target(shown, "configuration", str(key), None)
    return Target(shown, "configuration", str(key), stored.etag, stored.version)


async def lock_orchestration(session: Session, orchestration: str) -> None:
    """Check the right to change what belongs to the orchestration, then lock it.

    Raises NotFound if it does not exist.
    """
    session.actor.require_configure(ORCHESTRATOR)
    await _lock_orchestration(session, orchestration)


async def lock_to_switch(session: Session, orchestration: str) -> None:
    """The same for whoever only enables or disables what belongs to the orchestration."""
    session.actor.require_switch()
    await _lock_orchestration(session, orchestration)


async def _lock_orchestration(session: Session, orchestration: str) -> None:
    store = ConfigurationStore(session.connection)
    if not await store.lock_orchestration(project=session.project, orchestration=orchestration):
        raise NotFound(f"there is no orchestration {orchestration!r} in this project", field="orchestration")
