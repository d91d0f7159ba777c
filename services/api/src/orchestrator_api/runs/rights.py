"""Decides whether a token may change what a run would do; used by runs, retries, backfills and saves.

A token that may run something may start it as defined. Anything else requires the right to configure each
component that it reaches, including those below nested orchestrations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from orchestrator_api.catalog import configurations, overrides
from orchestrator_api.catalog.configurations import Key, orchestration_key
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.http.session import Session
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.domain.ids import ORCHESTRATOR

Task = Mapping[str, Any]
Pins = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a requested run differs from the current definition."""

    version: int | None = None
    """None for the current version."""
    tasks: Sequence[str] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions_of: UUID | None = None
    """A finished job whose versions run again."""
    pins: Pins = field(default_factory=dict)
    """Those versions, by orchestration and task id."""
    parameters_of: UUID | None = None
    """For a retry, the run whose parameters these are."""


async def check_version(
    session: Session, key: Key, configuration: Configuration, deviation: Deviation
) -> None:
    """Require the right to configure, before an old version is looked up."""
    if deviation.version not in (None, configuration.version) or deviation.versions_of is not None:
        session.actor.require_configure(key.component, field="version")


async def check_deviation(
    session: Session,
    key: Key,
    configuration: Configuration,
    definition: Mapping[str, Any],
    deviation: Deviation,
) -> None:
    """Refuse deviations that the token may not make; `definition` is the version that would run."""
    if session.actor.configures_everything:
        return
    tasks = stored_tasks(definition) if key.component == ORCHESTRATOR else []
    if deviation.version not in (None, configuration.version):
        _require(session, await _with_pinned(session, tasks), "version")
    if deviation.versions_of is not None:
        store = RunStore(session.connection)
        for component in await store.components_of_run(project=session.project, run=deviation.versions_of):
            session.actor.require_configure(component, field="version")
        _require(session, await _with_pinned(session, tasks, key.id, deviation.pins), "version")
    chosen = frozenset(deviation.tasks or ())
    _require(session, (task for task in tasks if task["id"] in chosen and not task["enabled"]), "tasks")
    if deviation.parameters:
        override = overrides.Override(key, deviation.parameters, "parameters", deviation.version)
        await check_overrides(session, [override])
        if deviation.parameters_of is not None and key.component == ORCHESTRATOR:
            await _check_repeated(session, deviation.parameters_of, deviation.parameters)


async def _check_repeated(session: Session, run: UUID, parameters: Mapping[str, Any]) -> None:
    """Refuse to repeat parameters (including secrets) meant for components the token may not configure.

    They are stored by task id, and another task may have that id now.
    """
    store = RunStore(session.connection)
    components = {
        task.task_id: task.component for task in await store.task_components(project=session.project, run=run)
    }
    reached = {components.get(name) for name in parameters}
    if ORCHESTRATOR in reached:
        reached |= set(await store.components_of_run(project=session.project, run=run))
    if None in reached:
        raise Forbidden(
            "the run ended before its parameters were assigned to tasks, so only a token that may configure "
            "every component may reuse them: start a new run",
            field="parameters",
        )
    for component in sorted(filter(None, reached)):
        session.actor.require_configure(component, field="parameters")


async def check_saved_tasks(session: Session, tasks: Sequence[Task]) -> None:
    """Refuse tasks whose components the token may not run, including the tasks of pinned old versions."""
    _require(session, tasks, "phases")
    if not session.actor.configures_everything:
        _require(session, await _with_pinned(session, tasks), "phases")


async def _with_pinned(
    session: Session, tasks: Sequence[Task], orchestration: str = "", pins: Pins | None = None
) -> list[Task]:
    """The tasks, and those of the versions that they pin, at any depth; `pins` are those of a run."""
    given = pins or {}
    todo, found, seen = [(orchestration, task) for task in tasks], [], set()
    while todo:
        place, task = todo.pop()
        found.append(task)
        own = (task.get("parameters") or {}).get("version")
        version = own if isinstance(own, int) else given.get(place, {}).get(task.get("id") or "")
        key = (task["configuration"], version)
        if task["component"] != ORCHESTRATOR or not isinstance(version, int) or key in seen:
            continue
        seen.add(key)
        pinned = await configurations.find_version(session, orchestration_key(task["configuration"]), version)
        if pinned is not None:
            todo += [(task["configuration"], each) for each in stored_tasks(pinned.parameters)]
    return found


async def check_overrides(session: Session, given: Sequence[overrides.Override]) -> None:
    """Refuse parameters for components that the token may not configure, at any depth of nesting."""
    actor = session.actor
    if actor.configures_everything or not given:
        return
    if not actor.configures:
        actor.require_configure(given[0].key.component, field=given[0].path)
    async for each in overrides.receivers(session, given):
        if each.key.component != ORCHESTRATOR:
            actor.require_configure(each.key.component, field=each.path)


def _require(session: Session, tasks: Iterable[Task], where: str) -> None:
    for component in sorted({task["component"] for task in tasks}):
        session.actor.require_configure(component, field=where)
