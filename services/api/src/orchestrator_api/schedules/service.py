"""Saves and deletes schedules; publishes every change to the scheduler."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.audit import About
from orchestrator_api.catalog.configurations import lock_orchestration, lock_to_switch
from orchestrator_api.catalog.rows import SavedPart
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.schedules.rows import MissedSchedule, ScheduleSpec, StoredFire, StoredSchedule
from orchestrator_api.schedules.store import ScheduleStore
from orchestrator_api.schedules.times import accept_times
from orchestrator_shared.contracts.events import ScheduleChanged
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.errors import Conflict, NotFound
from orchestrator_shared.domain.ids import new_id

OVERDUE_SECONDS = 120.0
"""The scheduler decides about a fire within seconds; one that it has not decided after this is overdue."""
RUN_FIRST = "no run of this orchestration has finished yet: run it by hand first, to see that it works"


async def listing(session: Session, orchestrations: Collection[str]) -> list[StoredSchedule]:
    """The schedules of these orchestrations."""
    store = ScheduleStore(session.connection)
    return await store.schedules(project=session.project, orchestrations=orchestrations)


async def announce_switch(session: Session, orchestration: str) -> None:
    """Publish a change of each schedule: the orchestration was switched on or off, deleted or restored."""
    store = ScheduleStore(session.connection)
    for schedule in await store.touch(project=session.project, orchestration=orchestration):
        session.publish(ScheduleChanged(schedule_id=schedule, project=session.project))


async def find(session: Session, orchestration: str, name: str) -> StoredSchedule:
    """The schedule; raises NotFound if it does not exist."""
    store = ScheduleStore(session.connection)
    found = await store.find(project=session.project, orchestration=orchestration, name=name)
    if found is None:
        raise _no_such(orchestration, name)
    return found


async def find_by_id(session: Session, schedule_id: UUID, *, field: str) -> StoredSchedule:
    """The schedule; raises NotFound, naming the field, if the project has none with this id."""
    found = await ScheduleStore(session.connection).find_by_id(
        project=session.project, schedule_id=schedule_id
    )
    if found is None:
        raise NotFound(f"there is no schedule {schedule_id} in this project", field=field)
    return found


async def fires(
    session: Session, schedule_id: UUID, before: tuple[datetime | None, str | None], limit: int
) -> list[StoredFire]:
    """What happened to each fire of a schedule, even a deleted one; newest first."""
    store = ScheduleStore(session.connection)
    if not await store.exists(project=session.project, schedule_id=schedule_id):
        raise NotFound(f"there is no schedule {schedule_id} in this project", field="schedule")
    at, key = before
    return await store.fires(
        project=session.project, schedule_id=schedule_id, before=at, before_key=key, limit=limit
    )


async def missed(session: Session, *, limit: int) -> list[MissedSchedule]:
    """Schedules that have not fired when they should have."""
    store = ScheduleStore(session.connection)
    return await store.missed(project=session.project, overdue_seconds=OVERDUE_SECONDS, limit=limit)


async def target(session: Session, orchestration: str, name: str, *, switching: bool = False) -> Target:
    """A schedule that may not exist yet, locked to be changed, or only to be switched on or off."""
    await (lock_to_switch if switching else lock_orchestration)(session, orchestration)
    store = ScheduleStore(session.connection)
    stored = await store.find(project=session.project, orchestration=orchestration, name=name)
    return Target("this schedule", "schedule", f"{orchestration}/{name}", stored.etag if stored else None)


async def save(session: Session, orchestration: str, name: str, spec: ScheduleSpec) -> SavedPart:
    """Save a schedule; nothing changes if it is the same as before."""
    times = accept_times(spec.cron, spec.every_seconds, spec.timezone)
    spec = replace(spec, cron=times.cron, every_seconds=times.every_seconds)
    await lock_orchestration(session, orchestration)
    store = ScheduleStore(session.connection)
    place = {"project": session.project, "orchestration": orchestration, "name": name}
    stored = await store.find(**place)
    if stored is not None and stored.matches(spec):
        return SavedPart(created=False, changed=False)
    schedule_id = new_id() if stored is None else stored.id
    if stored is None:
        await store.insert(schedule_id=schedule_id, **place, spec=spec)
    else:
        await store.update(project=session.project, schedule_id=schedule_id, spec=spec)
    session.publish(ScheduleChanged(schedule_id=schedule_id, project=session.project))
    action = "schedule.created" if stored is None else "schedule.changed"
    about = About(columns_of(stored.spec) if stored else None, columns_of(spec), id=str(schedule_id))
    await session.record(action, f"{orchestration}/{name}", about, **columns_of(spec))
    return SavedPart(created=stored is None, changed=True)


async def hint(session: Session, orchestration: str) -> str | None:
    """What to do after saving the first schedule of an orchestration that has never finished a run."""
    if len(await listing(session, [orchestration])) > 1 or await jobs.has_finished_run(
        session, orchestration
    ):
        return None
    return RUN_FIRST


async def switch(session: Session, orchestration: str, name: str, enabled: bool) -> StoredSchedule:
    """Enable or disable a schedule; its times stay as they are, and are checked before it is enabled."""
    await lock_to_switch(session, orchestration)
    stored = await find(session, orchestration, name)
    if stored.enabled == enabled:
        return stored
    if enabled:
        accept_times(stored.cron, stored.every_seconds, stored.timezone)
    spec = replace(stored.spec, enabled=enabled)
    await ScheduleStore(session.connection).update(project=session.project, schedule_id=stored.id, spec=spec)
    session.publish(ScheduleChanged(schedule_id=stored.id, project=session.project))
    about = About({"enabled": stored.enabled}, {"enabled": enabled}, id=str(stored.id))
    await session.record("schedule.changed", f"{orchestration}/{name}", about, enabled=enabled)
    return await find(session, orchestration, name)


async def delete(session: Session, orchestration: str, name: str) -> None:
    """Delete a schedule; its recorded fires stay."""
    await lock_orchestration(session, orchestration)
    store = ScheduleStore(session.connection)
    stored = await find(session, orchestration, name)
    await store.delete(project=session.project, orchestration=orchestration, name=name)
    session.publish(ScheduleChanged(schedule_id=stored.id, project=session.project))
    about = About(columns_of(stored.spec), id=str(stored.id))
    await session.record("schedule.deleted", f"{orchestration}/{name}", about)


async def restore(session: Session, orchestration: str, name: str) -> StoredSchedule:
    """Bring a deleted schedule back, with the record of its fires; what it missed is not caught up.

    Raises Conflict if there is another one with its name, NotFound if none was deleted or it is forgotten.
    """
    await lock_orchestration(session, orchestration)
    store = ScheduleStore(session.connection)
    place = {"project": session.project, "orchestration": orchestration, "name": name}
    if await store.find(**place) is not None:
        detail = f"{orchestration!r} has a schedule {name!r}: delete it first to get the earlier one back"
        raise Conflict(detail, field="schedule")
    if await store.restore(**place) is None:
        raise _no_such(orchestration, name)
    restored = await find(session, orchestration, name)
    session.publish(ScheduleChanged(schedule_id=restored.id, project=session.project))
    about = About(None, columns_of(restored.spec), id=str(restored.id))
    await session.record("schedule.restored", f"{orchestration}/{name}", about)
    return restored


async def purge(session: Session, orchestration: str) -> None:
    """Delete the schedules of an orchestration that is purged; their recorded fires stay."""
    store = ScheduleStore(session.connection)
    for schedule in await store.delete_all(project=session.project, orchestration=orchestration):
        session.publish(ScheduleChanged(schedule_id=schedule, project=session.project))


def _no_such(orchestration: str, name: str) -> NotFound:
    return NotFound(f"{orchestration!r} has no schedule {name!r}", field="schedule")
