"""Saving and deleting configurations, each save that differs being a new version."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator_api.catalog.parameters import check_parameters
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.secrets import left_masks
from orchestrator_api.http.paging import Part
from orchestrator_api.http.refusals import refuse
from orchestrator_api.http.session import Session
from orchestrator_api.sql import Row
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.ordered import same
from orchestrator_shared.secret_handles import handles_of, mask_for_editing, restore_masked

NO_ORCHESTRATION = "orchestrations have a resource of their own: use …/orchestrations/{id}"


@dataclass(frozen=True, slots=True)
class Key:
    """Which configuration."""

    component: str
    id: str

    def __str__(self) -> str:
        return f"{self.component}/{self.id}"


def orchestration_key(orchestration: str) -> Key:
    """An orchestration is a configuration of the component orchestrator."""
    return Key(ORCHESTRATOR, orchestration)


def component_key(component: str, configuration: str) -> Key:
    """Of a component's configuration; NotFound for orchestrations, which have a resource of their own."""
    if component == ORCHESTRATOR:
        raise NotFound(NO_ORCHESTRATION, field="component")
    return Key(component, configuration)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a configuration shall be; secrets in the clear, or as they are stored where they are kept."""

    name: str
    description: str
    enabled: bool
    parameters: dict[str, Any]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did."""

    version: int
    created: bool
    changed: bool
    switched: bool
    """The configuration came (back) to life, or its enabled flag changed."""


@dataclass(frozen=True, slots=True)
class SavedPart:
    """What saving a schedule or trigger did."""

    created: bool
    changed: bool


async def find(session: Session, key: Key) -> Row | None:
    """The configuration as stored, in the trash too; None if there never was one."""
    return await session.sql.one("configuration", session.project, key.component, key.id)


async def load(session: Session, key: Key) -> Row:
    """The configuration as stored; NotFound if it is not there or deleted."""
    row = await find(session, key)
    if row is None or row["deleted_at"] is not None:
        what = "orchestration" if key.component == ORCHESTRATOR else "configuration"
        shown = key.id if key.component == ORCHESTRATOR else str(key)
        raise NotFound(f"there is no {what} {shown!r} in this project", field=what)
    return row


async def find_version(session: Session, key: Key, version: int) -> Row | None:
    """One version of a configuration as stored."""
    return await session.sql.one("version", session.project, key.component, key.id, version)


async def existing(session: Session, keys: Iterable[tuple[str, str]]) -> list[Row]:
    """Those of these configurations that are there: current version, and when that was saved."""
    return await session.sql.many("saved_configurations", session.project, *_columns(keys))


async def keys_of_all(session: Session) -> list[Key]:
    """What configurations there are, but orchestrations."""
    rows = await session.sql.many("configuration_keys", session.project)
    return [Key(row["component"], row["id"]) for row in rows]


async def named(session: Session, keys: Iterable[tuple[str, str]], *, most_bytes: int) -> list[Row]:
    """Those of these configurations that are there; refuses to read more than `most_bytes` of parameters."""
    columns = _columns(keys)
    sizes = await session.sql.column("named_configuration_sizes", session.project, *columns)
    if sum(sizes) > most_bytes:
        raise UserError(
            f"the configurations named have more than {most_bytes // 1024**2} MiB of parameters now: "
            "send fewer documents at once",
            field="documents",
        )
    return await session.sql.many("named_configurations", session.project, *columns)


def _columns(keys: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    pairs = sorted(set(keys))
    return [component for component, _ in pairs], [name for _, name in pairs]


async def all_orchestrations(session: Session) -> list[Row]:
    """The configurations of orchestrations."""
    return await session.sql.many("configurations", session.project, ORCHESTRATOR, None, None, None)


async def parts_of_all(session: Session) -> AsyncIterator[list[Row]]:
    """All configurations but those, a few megabytes at a time."""
    after: tuple[str | None, str | None] = (None, None)
    while True:
        values = (session.project, None, *after)
        part = Part()
        part = part.within(await session.sql.column("configuration_sizes", *values, part.limit))
        rows = await session.sql.many("configurations", *values, part.limit)
        if not rows:
            return
        yield rows
        after = rows[-1]["component"], rows[-1]["id"]


async def listing(session: Session, component: str | None, paging: Part) -> tuple[Part, list[Row]]:
    """A part of the same that fits into one answer."""
    values = (session.project, component, *paging.place(str, str))
    part = paging.within(await session.sql.column("configuration_sizes", *values, paging.rows))
    return part, await session.sql.many("configurations", *values, part.rows)


async def versions(session: Session, key: Key, paging: Part) -> tuple[Part, list[Row]]:
    """A part of the versions of a configuration, newest first; masked. NotFound if it is not there."""
    values = (session.project, key.component, key.id, *paging.place(int))
    await load(session, key)
    part = paging.within(await session.sql.column("version_sizes", *values, paging.rows))
    rows = await session.sql.many("versions", *values, part.rows)
    return part, await session.offload.run(all_masked, rows)


async def nestings(session: Session) -> list[tuple[str, str]]:
    """Which orchestration runs which, by the current versions: pairs of parent and child."""
    rows = await session.sql.many("nestings", session.project)
    return [(row["parent"], row["child"]) for row in rows]


async def lock_orchestrations(session: Session) -> None:
    """Saves of a project's orchestrations take turns: otherwise two of them could close a cycle."""
    await session.sql.run("lock_orchestrations_of_project", session.project)


def masked(row: Row) -> Row:
    """The row for people."""
    return {**row, "parameters": mask_for_editing(row["parameters"])}


def all_masked(rows: Sequence[Row]) -> list[Row]:
    """The same of many: long work for large ones."""
    return [masked(row) for row in rows]


async def save_component_configuration(session: Session, key: Key, wish: Wish) -> Saved:
    """Save a configuration of a component, its parameters checked against the component's schema."""
    if key.component == ORCHESTRATOR:
        raise UserError(NO_ORCHESTRATION, field="component")
    session.actor.require_configure(key.component, field="component")
    component = await session.sql.one("component", key.component)
    if component is None:
        raise UserError(f"there is no component {key.component!r}: register it first", field="component")
    # Before it is read: what a mask stands for may be changed by another save at this moment.
    await session.sql.run("lock_configuration", session.project, key.component, key.id)
    stored = await find(session, key)
    parameters = restore_secrets(session, wish.parameters, stored)
    clear = session.encryption.decrypt_secrets(parameters, session.project)
    schema = component["definition"].get("parameters") or {}
    refuse(await session.offload.run(check_parameters, clear, schema, steps=session.judging))
    return await save(session, key, _with(wish, parameters))


def restore_secrets(session: Session, parameters: dict[str, Any], stored: Row | None) -> dict[str, Any]:
    """The parameters as they are stored, masks replaced by what they stand for; refuses those that are left.

    What is kept stays encrypted as it is: the handles that people have in files go on standing for it.
    """
    before = stored["parameters"] if stored else {}
    whole: dict[str, Any] = restore_masked(parameters, before, handles_of(before))
    refuse(left_masks(whole, "parameters"))
    return session.encrypted(whole, "parameters")


def _with(wish: Wish, parameters: dict[str, Any]) -> Wish:
    return Wish(wish.name, wish.description, wish.enabled, parameters, wish.note)


async def save(session: Session, key: Key, wish: Wish) -> Saved:
    """Write the configuration: a new version if the parameters differ, nothing if nothing does."""
    project = session.project
    encrypted = session.encrypted(
        wish.parameters, "phases" if key.component == ORCHESTRATOR else "parameters"
    )
    values = (project, key.component, key.id, wish.name, wish.description, wish.enabled)
    if await session.sql.value("insert_configuration", *values) is not None:
        await _insert_version(session, key, 1, encrypted, wish.note)
        await session.record("configuration.created", str(key), version=1)
        return Saved(version=1, created=True, changed=True, switched=True)
    await session.sql.run("lock_configuration", project, key.component, key.id)
    stored = await find(session, key)
    assert stored is not None
    return await _update(session, key, wish, stored, encrypted)


def _same(key: Key, before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Of an orchestration, only its tasks' parameters have keys in an order that somebody chose."""
    if key.component != ORCHESTRATOR:
        return same(before, now)
    parameters = [[task.get("parameters") for task in stored_tasks(each)] for each in (before, now)]
    return before == now and same(*parameters)


async def _update(session: Session, key: Key, wish: Wish, stored: Row, encrypted: dict[str, Any]) -> Saved:
    before = session.encryption.decrypt_secrets(stored["parameters"], session.project)
    new_version = not _same(key, before, session.encryption.decrypt_secrets(encrypted, session.project))
    revived = stored["deleted_at"] is not None
    switched = revived or stored["enabled"] != wish.enabled
    renamed = (stored["name"], stored["description"]) != (wish.name, wish.description)
    version = stored["version"] + (1 if new_version else 0)
    if not (new_version or switched or renamed):
        return Saved(version, created=False, changed=False, switched=False)
    if new_version:
        await _insert_version(session, key, version, encrypted, wish.note)
    values = (session.project, key.component, key.id, wish.name, wish.description, wish.enabled, version)
    await session.sql.run("update_configuration", *values)
    action = "configuration.restored" if revived else "configuration.changed"
    await session.record(action, str(key), version=version, enabled=wish.enabled)
    return Saved(version, created=revived, changed=True, switched=switched)


async def _insert_version(
    session: Session, key: Key, version: int, encrypted: dict[str, Any], note: str
) -> None:
    author = session.actor.label
    values = (session.project, key.component, key.id, version, encrypted, note, author)
    await session.sql.run("insert_version", *values)


async def delete(session: Session, key: Key) -> None:
    """Delete a configuration that no orchestration runs."""
    session.actor.require_configure(key.component)
    await lock_orchestrations(session)
    await load(session, key)
    users = await session.sql.column("usages", session.project, key.component, key.id)
    others = [user for user in users if (key.component, key.id) != (ORCHESTRATOR, user)]
    if others:
        raise Conflict(f"{key} is a task of {', '.join(others)}: take it out there first")
    await session.sql.run("delete_configuration", session.project, key.component, key.id)
    await session.record("configuration.deleted", str(key))


async def lock_orchestration(session: Session, orchestration: str) -> None:
    """Check the right to change what belongs to it, and take turns; NotFound if it is not there."""
    session.actor.require_configure(ORCHESTRATOR)
    if await session.sql.value("lock_orchestration", session.project, orchestration) is None:
        raise NotFound(f"there is no orchestration {orchestration!r} in this project", field="orchestration")
