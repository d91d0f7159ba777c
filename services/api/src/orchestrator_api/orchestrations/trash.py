"""Restores and purges what is in the trash, with everything that belongs to it."""

from dataclasses import dataclass, field

from orchestrator_api.access import orchestration_tokens
from orchestrator_api.catalog import configurations, trash
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import service, views
from orchestrator_api.runs import jobs, rights
from orchestrator_api.schedules import service as schedules
from orchestrator_api.triggers import service as triggers
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.ids import ORCHESTRATOR


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what is wrong with it now."""

    component: str
    id: str
    name: str
    version: int
    schedules: list[str] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def restore(session: Session, key: Key) -> Restored:
    """Take it out of the trash, as it was; its schedules and triggers go on from now."""
    session.actor.require_configure(key.component, field="component")
    stored = await trash.load(session, key)
    if key.component != ORCHESTRATOR:
        await trash.restore(session, key)
        return Restored(stored.component, stored.id, stored.name, stored.version)
    tasks = stored_tasks(stored.parameters)
    await rights.check_saved_tasks(session, tasks)
    await service.check_cycle(session, key.id, tasks)
    await trash.restore(session, key)
    await orchestration_tokens.restore(session, key.id)
    await service.announce_switch(session, key.id)
    return await _restored(session, key)


async def _restored(session: Session, key: Key) -> Restored:
    (shown,) = await views.orchestrations(session, [await configurations.load(session, key)])
    active_schedules = [each.name for each in shown.schedules if each.enabled]
    active_triggers = [each.name for each in shown.triggers if each.enabled]
    warnings = list(shown.warnings)
    if shown.enabled and (active_schedules or active_triggers):
        warnings.append("fires and table updates while it was in the trash do not count")
    return Restored(
        key.component,
        shown.id,
        shown.name,
        shown.version,
        schedules=active_schedules,
        triggers=active_triggers,
        errors=shown.errors,
        warnings=warnings,
    )


async def purge(session: Session, key: Key) -> None:
    """Delete it for good, with its versions and all that belongs to it; jobs of the past stay."""
    stored = await trash.load(session, key)
    if await jobs.are_unfinished(session, key):
        raise Conflict(f"jobs of {key} have not finished: wait for them, or terminate them")
    if key.component == ORCHESTRATOR:
        await _purge_parts(session, stored)
    await trash.purge(session, key, stored.version)


async def _purge_parts(session: Session, stored: Configuration) -> None:
    """What starts it, who is notified, and its token."""
    await schedules.purge(session, stored.id)
    await triggers.purge(session, stored.id)
    await notifications.purge(session, stored.id)
    await orchestration_tokens.purge(session, stored.id)
