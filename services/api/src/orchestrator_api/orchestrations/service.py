"""Saves and deletes orchestrations: checks tasks and cycles, creates the token, subscribes the creator."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator_api.access import orchestration_tokens
from orchestrator_api.access.rows import Token
from orchestrator_api.catalog import configurations, overrides, sealing
from orchestrator_api.catalog import phases as domain
from orchestrator_api.catalog.configurations import ConfigurationSpec, Saved, orchestration_key
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import remaining_masks_in_phases, restored_phases
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations.store import OrchestrationStore
from orchestrator_api.runs import rights
from orchestrator_api.schedules import service as schedules
from orchestrator_api.triggers import service as triggers
from orchestrator_shared.definitions.nesting import Nestings, format_cycle
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.sealed_values import sealed_values

Given = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class OrchestrationSpec:
    """The orchestration to save; phases as they were sent."""

    name: str
    description: str
    enabled: bool
    phases: Given
    note: str = ""
    labels: Sequence[str] = ()
    kept: Collection[str] = ()
    """Encrypted values in the phases that stay what they are for, besides those of the stored version."""


async def save(session: Session, orchestration: str, spec: OrchestrationSpec) -> Saved:
    """Save the orchestration; nothing changes if it is the same as before."""
    key = orchestration_key(orchestration)
    session.actor.require_configure(ORCHESTRATOR)
    await configurations.lock_orchestrations(session)
    await check_tasks(session, orchestration, spec.phases)
    stored = await configurations.find(session, key)
    whole = await _restore_secrets(session, spec, stored)
    await _check_parameters(session, spec.phases, whole, stored)
    saved = await configurations.save(
        session,
        key,
        ConfigurationSpec(spec.name, spec.description, spec.enabled, whole, spec.note, spec.labels),
    )
    if stored is None or stored.is_purged:
        await _set_up(session, orchestration)
        return saved
    if stored.deleted_at is not None:
        await orchestration_tokens.restore(session, orchestration)
    if saved.switched:
        await announce_switch(session, orchestration)
    return saved


async def _restore_secrets(
    session: Session, spec: OrchestrationSpec, stored: Configuration | None
) -> dict[str, Any]:
    """Like `configurations.restore_secrets`: each task's parameters, by task id."""
    definition = domain.make_definition(spec.phases).to_json()
    before = stored.parameters.get("phases", []) if stored else []
    phases = restored_phases(definition["phases"], before)
    refuse(remaining_masks_in_phases(phases))
    return {
        **definition,
        "phases": await sealing.sealed_phases(session, phases, {*sealed_values(before), *spec.kept}),
    }


async def check_tasks(session: Session, orchestration: str, given: Given) -> None:
    """Refuse missing tasks, tasks the token may not run, duplicate ids and cycles."""
    tasks = [task for phase in given for task in phase.get("tasks") or []]
    refuse(domain.duplicate_ids(given) + domain.invalid_settings(given))
    refuse(await unknown_targets(session, orchestration, given))
    await rights.check_saved_tasks(session, tasks)
    await check_cycle(session, orchestration, tasks)


async def unknown_targets(session: Session, orchestration: str, given: Given) -> list[FieldError]:
    """Tasks whose component or configuration does not exist; the orchestration itself may not exist yet."""
    tasks = [task for phase in given for task in phase.get("tasks") or []]
    store = OrchestrationStore(session.connection)
    known = set(await store.existing_components(components={task["component"] for task in tasks}))
    keys = sorted({(task["component"], task["configuration"]) for task in tasks})
    found = await store.existing_configurations(project=session.project, keys=keys)
    existing = {(each.component, each.id) for each in found} | {(ORCHESTRATOR, orchestration)}
    return domain.unknown_targets(given, known, existing)


async def _check_parameters(
    session: Session, given: Given, definition: dict[str, Any], stored: Configuration | None
) -> None:
    """Reject Task Parameters that do not match the schema once merged; paths refer to `given`.

    Parameters that are already saved are not checked: whoever only switches the orchestration off did not
    write them.
    """
    plain = session.encryption.read_secrets(definition, session.project)
    saved = session.encryption.read_secrets(stored.parameters, session.project) if stored else {}
    before = {_task_parameters(task) for task in domain.stored_tasks(saved)}
    paths = [
        f"phases.{p}.tasks.{t}.parameters.parameters"
        for p, phase in enumerate(given)
        for t, _ in enumerate(phase.get("tasks") or [])
    ]
    found = [
        overrides.own_override(task, path)
        for path, task in zip(paths, domain.stored_tasks(plain), strict=True)
        if _task_parameters(task) not in before
    ]
    given_overrides = [each for each in found if each is not None]
    await rights.check_overrides(session, given_overrides)
    refuse(await overrides.check(session, given_overrides))


def _task_parameters(task: dict[str, Any]) -> tuple[str, str, str]:
    return task["component"], task["configuration"], json.dumps(task["parameters"], sort_keys=True)


async def check_cycle(session: Session, orchestration: str, tasks: Sequence[dict[str, Any]]) -> None:
    """Refuse tasks that would make orchestrations run each other in a cycle."""
    children = [task["configuration"] for task in tasks if task["component"] == ORCHESTRATOR]
    if not children and session.cache.nestings is None:
        return
    cycle = (await _nestings(session)).put(orchestration, children)
    if cycle is not None:
        refuse(
            [FieldError("phases", f"orchestrations would run each other in a cycle: {format_cycle(cycle)}")]
        )


async def _nestings(session: Session) -> Nestings:
    """Read once per request: the cost grows with the project."""
    found = session.cache.nestings
    if found is None:
        found = Nestings(await configurations.nestings(session))
        session.cache.nestings = found
    return found


async def _set_up(session: Session, orchestration: str) -> None:
    """Create the token that its jobs run as, and subscribe its creator to its errors."""
    await orchestration_tokens.create(session, orchestration)
    await notifications.subscribe_creator(session, orchestration)


async def switch(session: Session, orchestration: str, enabled: bool) -> None:
    """Enable or disable an orchestration; its definition stays as it is."""
    session.actor.require_switch()
    if await configurations.switch(session, orchestration_key(orchestration), enabled):
        await announce_switch(session, orchestration)


async def announce_switch(session: Session, orchestration: str) -> None:
    """Notify the scheduler and the trigger-watcher that the orchestration was switched on or off."""
    await schedules.announce_switch(session, orchestration)
    await triggers.announce_switch(session, orchestration)


async def delete(session: Session, orchestration: str) -> None:
    """Move it to the trash. Its schedules and triggers pause; saving it again restores it."""
    session.cache.nestings = None
    await configurations.delete(session, orchestration_key(orchestration))
    await orchestration_tokens.revoke(session, orchestration)
    await announce_switch(session, orchestration)


async def refresh_token(session: Session, orchestration: str) -> None:
    """Give the orchestration's token a new secret, which no one ever sees."""
    session.actor.require_configure(ORCHESTRATOR)
    await configurations.current(session, orchestration_key(orchestration))
    await orchestration_tokens.refresh(session, orchestration)


async def narrow_token(session: Session, orchestration: str, components: Sequence[str]) -> Token:
    """Say which components its tasks may run."""
    await configurations.current(session, orchestration_key(orchestration))
    return await orchestration_tokens.narrow(session, orchestration, components)
