"""Saving, resetting, deleting and explaining triggers; every change is said to the trigger-watcher."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from orchestrator_api.catalog.configurations import SavedPart, lock_orchestration
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.sql import Row
from orchestrator_api.triggers import self_triggering
from orchestrator_shared.contracts.events import TriggerChanged
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_id
from orchestrator_shared.domain.tables import TableRef


@dataclass(frozen=True, slots=True)
class TriggerWish:
    """What a trigger shall be."""

    tables: Sequence[str]
    cool_down_seconds: int = 0
    mode: str = "ignore"
    enabled: bool = True
    allow_self_trigger: bool = False

    @property
    def rules(self) -> tuple[bool, int, str, bool]:
        """All but the tables, as stored."""
        return self.enabled, self.cool_down_seconds, self.mode, self.allow_self_trigger


async def listing(session: Session, orchestration: str | None = None) -> list[Row]:
    """The triggers of an orchestration, or of all of the project."""
    return await session.sql.many("triggers", session.project, orchestration, None, None)


async def announce_switch(session: Session, orchestration: str) -> None:
    """The orchestration was switched on or off, deleted or restored: that changes each of its triggers."""
    for trigger in await session.sql.column("touch_triggers", session.project, orchestration):
        session.say(TriggerChanged(trigger_id=trigger, project=session.project))


async def find(session: Session, orchestration: str, name: str) -> Row:
    """The trigger; NotFound if it is not there."""
    row = await session.sql.one("triggers", session.project, orchestration, name, None)
    if row is None:
        raise NotFound(f"{orchestration!r} has no trigger {name!r}", field="trigger")
    return row


async def find_by_id(session: Session, trigger_id: UUID) -> Row:
    """The trigger; NotFound if the project has none of this id."""
    row = await session.sql.one("triggers", session.project, None, None, trigger_id)
    if row is None:
        raise NotFound(f"there is no trigger {trigger_id} in this project", field="trigger")
    return row


async def save(session: Session, orchestration: str, name: str, wish: TriggerWish) -> SavedPart:
    """Save it; the same wish again changes nothing."""
    await lock_orchestration(session, orchestration)
    stored = await session.sql.one("triggers", session.project, orchestration, name, None)
    refs = await _accept_tables(session, wish.tables, stored)
    if stored is not None and _is_same(session.project, stored, wish, refs):
        return SavedPart(created=False, changed=False)
    trigger_id = new_id() if stored is None else stored["id"]
    if not wish.allow_self_trigger:
        await self_triggering.check(session, orchestration, refs)
    if stored is None:
        await session.sql.run("insert_trigger", trigger_id, session.project, orchestration, name, *wish.rules)
    else:
        await session.sql.run("update_trigger", trigger_id, *wish.rules)
        await session.sql.run("delete_trigger_tables", trigger_id)
    projects, names = [ref.project for ref in refs], [str(ref.name) for ref in refs]
    await session.sql.run("insert_trigger_tables", trigger_id, projects, names)
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    action = "trigger.created" if stored is None else "trigger.changed"
    detail = {"tables": [str(ref) for ref in refs], "cool_down_seconds": wish.cool_down_seconds}
    await session.record(action, f"{orchestration}/{name}", mode=wish.mode, enabled=wish.enabled, **detail)
    return SavedPart(created=stored is None, changed=True)


async def _accept_tables(session: Session, tables: Sequence[str], stored: Row | None) -> list[TableRef]:
    """The tables, each once; those of other projects only from buckets shared with this one."""
    project = session.project
    refs = [TableRef.parse(text, own_project=project, field=f"tables.{i}") for i, text in enumerate(tables)]
    shared = {
        (row["project"], row["bucket"]) for row in await session.sql.many("buckets_shared_with", project)
    }
    refuse(
        [
            FieldError(f"tables.{i}", f"no bucket {ref.name.bucket!r} of {ref.project!r} is shared with you")
            for i, ref in enumerate(refs)
            if ref.project != project and (ref.project, ref.name.bucket) not in shared
        ]
    )
    return sorted(set(refs))


def _is_same(project: str, stored: Row, wish: TriggerWish, refs: Sequence[TableRef]) -> bool:
    before = {TableRef.parse(text, own_project=project) for text in stored["tables"]}
    rules = (stored["enabled"], stored["cool_down_seconds"], stored["mode"], stored["allow_self_trigger"])
    return before == set(refs) and rules == wish.rules


async def delete(session: Session, orchestration: str, name: str) -> None:
    """Delete it; its recorded dispositions stay."""
    await lock_orchestration(session, orchestration)
    trigger_id = await session.sql.value("delete_trigger", session.project, orchestration, name)
    if trigger_id is None:
        raise NotFound(f"{orchestration!r} has no trigger {name!r}", field="trigger")
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    await session.record("trigger.deleted", f"{orchestration}/{name}")


async def reset(session: Session, trigger_id: UUID) -> None:
    """Drop what has been counted."""
    session.actor.require_configure(ORCHESTRATOR)
    trigger = await find_by_id(session, trigger_id)
    await session.sql.run("reset_trigger", session.project, trigger_id)
    session.say(TriggerChanged(trigger_id=trigger_id, project=session.project))
    await session.record("trigger.reset", f"{trigger['orchestration']}/{trigger['name']}")


async def give_tables(session: Session, bucket: str, project: str) -> None:
    """A bucket is shared again: triggers of the other project on it go on counting."""
    given = await session.sql.many("give_tables_of_bucket", session.project, bucket, project)
    await _tell(session, given, project, f"{session.project} shares {bucket} again")


async def take_tables(session: Session, bucket: str, project: str) -> int:
    """A bucket is no longer shared: triggers of the other project on it are disabled; returns how many."""
    taken = await session.sql.many("take_tables_of_bucket", session.project, bucket, project)
    await _tell(session, taken, project, f"{session.project} no longer shares {bucket}")
    return sum(trigger["was_enabled"] for trigger in taken)


async def _tell(session: Session, triggers: Sequence[Row], project: str, reason: str) -> None:
    """Say to the watcher, and to those who read the other project's audit, that its triggers have changed."""
    for trigger in triggers:
        session.say(TriggerChanged(trigger_id=trigger["id"], project=project))
        subject = f"{trigger['orchestration']}/{trigger['name']}"
        await session.record_in(project, "trigger.changed", subject, reason=reason)


def shown_table(project: str, table_project: str, name: str) -> str:
    """A table as seen from the project."""
    return name if table_project == project else f"{table_project}/{name}"
