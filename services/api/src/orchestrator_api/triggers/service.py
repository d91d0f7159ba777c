"""Saves, resets, deletes and explains triggers; publishes every change to the trigger-watcher."""

from collections.abc import Collection, Sequence
from uuid import UUID

from orchestrator_api.access.audit import About
from orchestrator_api.catalog.configurations import lock_orchestration, lock_to_switch
from orchestrator_api.catalog.rows import SavedPart
from orchestrator_api.http.edits import Target
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.triggers import self_triggering
from orchestrator_api.triggers.rows import StoredDisposition, StoredTrigger, TouchedTrigger, TriggerSpec
from orchestrator_api.triggers.store import Place, TriggerStore
from orchestrator_shared.contracts.events import TriggerChanged
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_id
from orchestrator_shared.domain.tables import TableRef


async def listing(session: Session, orchestrations: Collection[str]) -> list[StoredTrigger]:
    """The triggers of these orchestrations."""
    store = TriggerStore(session.connection)
    return await store.triggers(project=session.project, orchestrations=orchestrations)


async def announce_switch(session: Session, orchestration: str) -> None:
    """Publish a change of each trigger: the orchestration was switched on or off, deleted or restored."""
    store = TriggerStore(session.connection)
    for trigger in await store.touch(project=session.project, orchestration=orchestration):
        session.publish(TriggerChanged(trigger_id=trigger, project=session.project))


async def find(session: Session, orchestration: str, name: str) -> StoredTrigger:
    """The trigger; raises NotFound if it does not exist."""
    store = TriggerStore(session.connection)
    found = await store.find(project=session.project, orchestration=orchestration, name=name)
    if found is None:
        raise _no_such(orchestration, name)
    return found


async def find_by_id(session: Session, trigger_id: UUID) -> StoredTrigger:
    """The trigger; raises NotFound if the project has none with this id."""
    store = TriggerStore(session.connection)
    found = await store.find_by_id(project=session.project, trigger_id=trigger_id)
    if found is None:
        raise NotFound(f"there is no trigger {trigger_id} in this project", field="trigger")
    return found


async def dispositions(
    session: Session, trigger_id: UUID, before: Place, limit: int
) -> list[StoredDisposition]:
    """What happened to each table update for the trigger, newest first."""
    await find_by_id(session, trigger_id)
    store = TriggerStore(session.connection)
    return await store.dispositions(
        project=session.project, trigger_id=trigger_id, before=before, limit=limit
    )


async def target(session: Session, orchestration: str, name: str, *, switching: bool = False) -> Target:
    """A trigger that may not exist yet, locked to be changed, or only to be switched on or off."""
    await (lock_to_switch if switching else lock_orchestration)(session, orchestration)
    store = TriggerStore(session.connection)
    stored = await store.find(project=session.project, orchestration=orchestration, name=name)
    return Target("this trigger", "trigger", f"{orchestration}/{name}", stored.etag if stored else None)


async def save(session: Session, orchestration: str, name: str, spec: TriggerSpec) -> SavedPart:
    """Save a trigger; nothing changes if it is the same as before."""
    await lock_orchestration(session, orchestration)
    store = TriggerStore(session.connection)
    place = {"project": session.project, "orchestration": orchestration, "name": name}
    stored = await store.find(**place)
    refs = await _accept_tables(session, spec.tables)
    if stored is not None and _is_same(session.project, stored, spec, refs):
        return SavedPart(created=False, changed=False)
    trigger_id = new_id() if stored is None else stored.id
    if not spec.allow_self_trigger:
        await self_triggering.check(session, orchestration, refs)
    if stored is None:
        await store.insert(trigger_id=trigger_id, **place, spec=spec, tables=refs)
    else:
        await store.update(project=session.project, trigger_id=trigger_id, spec=spec, tables=refs)
    session.publish(TriggerChanged(trigger_id=trigger_id, project=session.project))
    action = "trigger.created" if stored is None else "trigger.changed"
    detail = {"tables": [str(ref) for ref in refs], "cool_down_seconds": spec.cool_down_seconds}
    after = {**spec.rules, "tables": _shown(session.project, refs)}
    about = About(_document(session.project, stored) if stored else None, after, id=str(trigger_id))
    subject = f"{orchestration}/{name}"
    await session.record(action, subject, about, mode=spec.mode, enabled=spec.enabled, **detail)
    return SavedPart(created=stored is None, changed=True)


async def switch(session: Session, orchestration: str, name: str, enabled: bool) -> StoredTrigger:
    """Enable or disable a trigger; its tables stay, and are checked before it is enabled."""
    await lock_to_switch(session, orchestration)
    stored = await find(session, orchestration, name)
    if stored.enabled == enabled:
        return stored
    if enabled:
        refs = await _accept_tables(session, stored.tables)
        if not stored.allow_self_trigger:
            await self_triggering.check(session, orchestration, refs)
    await TriggerStore(session.connection).switch(
        project=session.project, trigger_id=stored.id, enabled=enabled
    )
    session.publish(TriggerChanged(trigger_id=stored.id, project=session.project))
    about = About({"enabled": stored.enabled}, {"enabled": enabled}, id=str(stored.id))
    await session.record("trigger.changed", f"{orchestration}/{name}", about, enabled=enabled)
    return await find(session, orchestration, name)


async def _accept_tables(session: Session, tables: Sequence[str]) -> list[TableRef]:
    """The tables without duplicates; rejects those of other projects in buckets not shared with this one."""
    project = session.project
    refs = [TableRef.parse(text, own_project=project, field=f"tables.{i}") for i, text in enumerate(tables)]
    buckets = await TriggerStore(session.connection).lock_shared_buckets(project=project)
    shared = {(each.project, each.bucket) for each in buckets}
    refuse(
        [
            FieldError(f"tables.{i}", not_shared(ref))
            for i, ref in enumerate(refs)
            if ref.project != project and (ref.project, ref.name.bucket) not in shared
        ]
    )
    return sorted(set(refs))


def not_shared(ref: TableRef) -> str:
    """Why a table of another project is refused."""
    return f"the bucket {ref.name.bucket!r} of {ref.project!r} is not shared with you"


def _document(project: str, stored: StoredTrigger) -> JsonObject:
    """What people edit, for the audit log."""
    refs = [TableRef.parse(text, own_project=project) for text in stored.tables]
    return {**stored.rules, "tables": _shown(project, refs)}


def _shown(project: str, refs: Collection[TableRef]) -> list[str]:
    return [shown_table(project, ref.project, str(ref.name)) for ref in sorted(refs)]


def _is_same(project: str, stored: StoredTrigger, spec: TriggerSpec, refs: Sequence[TableRef]) -> bool:
    before = {TableRef.parse(text, own_project=project) for text in stored.tables}
    return before == set(refs) and stored.rules == spec.rules


async def delete(session: Session, orchestration: str, name: str) -> None:
    """Delete a trigger; its recorded dispositions stay."""
    await lock_orchestration(session, orchestration)
    store = TriggerStore(session.connection)
    stored = await find(session, orchestration, name)
    await store.delete(project=session.project, orchestration=orchestration, name=name)
    session.publish(TriggerChanged(trigger_id=stored.id, project=session.project))
    about = About(_document(session.project, stored), id=str(stored.id))
    await session.record("trigger.deleted", f"{orchestration}/{name}", about)


async def purge(session: Session, orchestration: str) -> None:
    """Delete the triggers of an orchestration that is purged; their recorded dispositions stay."""
    store = TriggerStore(session.connection)
    for trigger in await store.delete_all(project=session.project, orchestration=orchestration):
        session.publish(TriggerChanged(trigger_id=trigger, project=session.project))


async def reset(session: Session, trigger_id: UUID) -> None:
    """Discard what has been counted."""
    session.actor.require_configure(ORCHESTRATOR)
    trigger = await find_by_id(session, trigger_id)
    await TriggerStore(session.connection).reset(project=session.project, trigger_id=trigger_id)
    session.publish(TriggerChanged(trigger_id=trigger_id, project=session.project))
    about = About(id=str(trigger_id))
    await session.record("trigger.reset", f"{trigger.orchestration}/{trigger.name}", about)


async def restore_tables(session: Session, bucket: str, project: str) -> None:
    """A bucket is shared again: triggers of the other project on it count updates again."""
    store = TriggerStore(session.connection)
    given = await store.restore_tables(owner=session.project, bucket=bucket, project=project)
    for trigger in given:
        await _publish_change(session, trigger, project, f"{session.project} shares {bucket} again")


async def revoke_tables(session: Session, bucket: str, project: str) -> int:
    """A bucket is no longer shared: disable the other project's triggers on it; returns how many."""
    store = TriggerStore(session.connection)
    taken = await store.revoke_tables(owner=session.project, bucket=bucket, project=project)
    for trigger in taken:
        reason = f"{session.project} no longer shares {bucket}"
        await _publish_change(session, trigger, project, reason, disabled=trigger.was_enabled)
    return sum(trigger.was_enabled for trigger in taken)


async def _publish_change(
    session: Session, trigger: TouchedTrigger, project: str, reason: str, *, disabled: bool = False
) -> None:
    """Publish the change to the trigger-watcher, and record it in the other project's audit log."""
    session.publish(TriggerChanged(trigger_id=trigger.id, project=project))
    before, after = ({"enabled": True}, {"enabled": False}) if disabled else (None, None)
    about = About(before, after, id=str(trigger.id))
    subject = f"{trigger.orchestration}/{trigger.name}"
    await session.record_in(project, "trigger.changed", subject, about, reason=reason)


def _no_such(orchestration: str, name: str) -> NotFound:
    return NotFound(f"{orchestration!r} has no trigger {name!r}", field="trigger")


def shown_table(project: str, table_project: str, name: str) -> str:
    """A table as seen from the project."""
    return name if table_project == project else f"{table_project}/{name}"
