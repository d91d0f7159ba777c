"""Whether a token may change what a run would do: runs, retries, backfills and saves all ask here.

What is defined may be started by whoever may run it. Anything else needs the right to configure each
component that it reaches, also below nested orchestrations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from orchestrator_api.adapters.sql import Row
from orchestrator_api.domain.phases import stored_tasks
from orchestrator_api.handlers import overrides
from orchestrator_api.handlers.configurations import Key
from orchestrator_api.session import Session
from orchestrator_shared.definitions.placeholders import placeholders
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Departure:
    """How a requested run differs from the current definition."""

    version: int | None = None
    """None: the current one."""
    tasks: Sequence[str] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions_of: UUID | None = None
    """A finished job: everything runs again in the versions that it had."""


async def check_version(session: Session, key: Key, configuration: Row, departure: Departure) -> None:
    """Before an old version is looked for: the right to configure what it belongs to."""
    if departure.version not in (None, configuration["version"]) or departure.versions_of is not None:
        session.actor.require_configure(key.component, field="version")


async def check_departure(
    session: Session, key: Key, configuration: Row, definition: Mapping[str, Any], departure: Departure
) -> None:
    """Refuse what the token may not change about this run; `definition` is the version that would run."""
    if session.actor.configures_everything:
        return
    tasks = stored_tasks(definition) if key.component == ORCHESTRATOR else []
    if departure.version not in (None, configuration["version"]):
        _require(session, tasks, "version")
    if departure.versions_of is not None:
        for component in await session.sql.column("components_of_run", departure.versions_of):
            session.actor.require_configure(component, field="version")
        _require(session, tasks, "version")
    chosen = frozenset(departure.tasks or ())
    _require(session, (task for task in tasks if task["id"] in chosen and not task["enabled"]), "tasks")
    if departure.parameters:
        brought = overrides.Override(key, departure.parameters, "parameters", departure.version)
        await check_overrides(session, [brought])


async def check_saved_tasks(session: Session, tasks: Sequence[Task]) -> None:
    """Refuse tasks of components that the token may not run; a pinned old version brings its own tasks."""
    _require(session, tasks, "phases")
    if session.actor.configures_everything:
        return
    for task in tasks:
        version = (task.get("parameters") or {}).get("version")
        if task["component"] != ORCHESTRATOR or not isinstance(version, int):
            continue
        key = (session.project, ORCHESTRATOR, task["configuration"], version)
        row = await session.sql.one("version", *key)
        _require(session, stored_tasks(row["parameters"]) if row else (), "phases")


async def check_overrides(session: Session, brought: Sequence[overrides.Override]) -> None:
    """Refuse parameters for components that the token may not configure, however deep they are nested."""
    actor = session.actor
    if actor.configures_everything or not brought:
        return
    if not actor.configures:
        actor.require_configure(brought[0].key.component, field=brought[0].path)
    async for each in overrides.reached(session, brought):
        if each.key.component != ORCHESTRATOR:
            actor.require_configure(each.key.component, field=each.path)


async def check_variable(session: Session, name: str) -> None:
    """Refuse to change a variable that components use which the token may not configure."""
    if session.actor.configures_everything:
        return
    for row in await session.sql.many("variable_users", session.project, name):
        if not session.actor.may_run(row["component"]) and _uses(session, row["parameters"], f"vars.{name}"):
            session.actor.require_configure(row["component"], field="name")


def _uses(session: Session, parameters: Mapping[str, Any], name: str) -> bool:
    try:
        plain = session.encryption.decrypt_secrets(parameters, session.project)
    except UserError:
        return False  # its key is gone: it cannot run
    return name in placeholders(plain)


def _require(session: Session, tasks: Iterable[Task], where: str) -> None:
    for component in sorted({task["component"] for task in tasks}):
        session.actor.require_configure(component, field=where)
