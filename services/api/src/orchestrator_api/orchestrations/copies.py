"""Copies orchestrations, by default without what starts them; a copy is disabled until it is enabled."""

from collections.abc import Collection
from dataclasses import fields

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.copies import name_of_copy, refuse_taken
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import service
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_api.schedules import service as schedules
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.rows import TriggerSpec
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.sealed_values import sealed_values

SCHEDULES, TRIGGERS, NOTIFICATIONS = "schedules", "triggers", "notifications"


async def copy(
    session: Session, orchestration: str, new_id: str, name: str | None, include: Collection[str]
) -> None:
    """Copy the current version, and of what belongs to it only what `include` names."""
    session.actor.require_configure(ORCHESTRATOR)
    await configurations.lock_orchestrations(session)
    source = await configurations.load(session, orchestration_key(orchestration))
    await refuse_taken(session, orchestration_key(new_id))
    spec = OrchestrationSpec(
        name=name_of_copy(source, name),
        description=source.description,
        labels=source.labels,
        enabled=False,
        phases=source.parameters.get("phases", []),
        note=f"copied from {orchestration}, version {source.version}",
        kept=set(sealed_values(source.parameters)),
    )
    await service.save(session, new_id, spec)
    if SCHEDULES in include:
        for schedule in await schedules.listing(session, [orchestration]):
            await schedules.save(session, new_id, schedule.name, schedule.spec)
    if TRIGGERS in include:
        for trigger in await triggers.listing(session, [orchestration]):
            given = {each.name: getattr(trigger, each.name) for each in fields(TriggerSpec)}
            await triggers.save(session, new_id, trigger.name, TriggerSpec(**given))
    if NOTIFICATIONS in include:
        await _copy_notifications(session, orchestration, new_id)


async def _copy_notifications(session: Session, orchestration: str, new_id: str) -> None:
    found = await notifications.listing(session, [orchestration, new_id])
    wanted = {(each.event, each.address): each.subscription for each in found}
    await notifications.replace(session, new_id, wanted.values())
