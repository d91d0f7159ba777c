"""Versions of configurations: read one, compare two, and restore an old one as a new version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import ConfigurationSpec, Key, Saved
from orchestrator_api.catalog.differences import Differences, compare_parameters
from orchestrator_api.catalog.phases import Json
from orchestrator_api.catalog.rows import Configuration, ConfigurationVersion, WrittenVersion
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import NotFound

Comparison = Callable[[Json, Json], Differences]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions and their differences."""

    before: WrittenVersion
    after: WrittenVersion
    differences: Differences


async def listing(session: Session, key: Key, paging: Part) -> tuple[Part, list[ConfigurationVersion]]:
    """One page of a configuration's versions, newest first, masked; raises NotFound if it does not exist."""
    (before,) = paging.place(int)
    await configurations.current(session, key)
    store = ConfigurationStore(session.connection)
    place = {"project": session.project, "component": key.component, "configuration": key.id}
    part = paging.within(await store.version_sizes(**place, before=before, limit=paging.rows))
    found = await store.versions(**place, before=before, limit=part.rows)
    return part, await session.offload.run(_all_masked, found)


def _all_masked(found: Sequence[WrittenVersion]) -> list[ConfigurationVersion]:
    return [configurations.masked(each.parsed()) for each in found]


async def stored(session: Session, key: Key, version: int) -> ConfigurationVersion:
    """One version as stored; raises NotFound if it or its configuration does not exist."""
    await configurations.current(session, key)
    return await _stored(session, key, version)


async def _stored(session: Session, key: Key, version: int) -> ConfigurationVersion:
    found = await configurations.find_version(session, key, version)
    if found is None:
        raise _missing(key, version)
    return found


def _missing(key: Key, version: int) -> NotFound:
    return NotFound(f"{key} has no version {version}", field="version")


async def compare(
    session: Session, key: Key, before: int, after: int, comparison: Comparison = compare_parameters
) -> Compared:
    """What changed between two versions, in whichever order they are given."""
    await configurations.current(session, key)
    first, second = [await _written(session, key, version) for version in (before, after)]
    found = await session.offload.run(_compared, first, second, comparison)
    return Compared(first, second, found)


async def _written(session: Session, key: Key, version: int) -> WrittenVersion:
    place = {"project": session.project, "component": key.component, "configuration": key.id}
    found = await ConfigurationStore(session.connection).written_version(**place, version=version)
    if found is None:
        raise _missing(key, version)
    return found


def _compared(before: WrittenVersion, after: WrittenVersion, comparison: Comparison) -> Differences:
    return comparison(before.parsed().parameters, after.parsed().parameters)


async def load_to_restore(
    session: Session, key: Key, version: int
) -> tuple[Configuration, ConfigurationVersion]:
    """The configuration, locked against other saves, and the version to restore."""
    session.actor.require_configure(key.component, field="component")
    await configurations.lock(session, key)
    return await configurations.load(session, key), await _stored(session, key, version)


def note_of(version: int, note: str) -> str:
    """The note of a version that restores an old one."""
    return note or f"restored version {version}"


async def restore(session: Session, key: Key, version: int, note: str) -> Saved:
    """Save the parameters of an old version as a new one; they must fit the component's present schema."""
    current, wanted = await load_to_restore(session, key, version)
    spec = ConfigurationSpec(
        current.name, current.description, current.enabled, wanted.parameters, note_of(version, note)
    )
    return await configurations.save_component_configuration(session, key, spec)
