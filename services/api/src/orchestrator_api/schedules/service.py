"""Saving and deleting schedules; every change is said to the scheduler."""

from dataclasses import asdict, dataclass
from typing import Any

from orchestrator_api.catalog.configurations import SavedPart, lock_orchestration
from orchestrator_api.http.session import Session
from orchestrator_api.schedules.times import accept_times
from orchestrator_api.sql import Row
from orchestrator_shared.contracts.events import ScheduleChanged
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import new_id


@dataclass(frozen=True, slots=True)
class ScheduleWish:
    """What a schedule shall be."""

    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = "UTC"
    enabled: bool = True
    overlap: str = "one_waiting"
    misfire: str = "fire_once"
    catch_up_seconds: int = 86400


async def listing(session: Session, orchestration: str | None = None) -> list[Row]:
    """The schedules of an orchestration, or of all of the project."""
    return await session.sql.many("schedules", session.project, orchestration)


async def announce_switch(session: Session, orchestration: str) -> None:
    """The orchestration was switched on or off, deleted or restored: that changes each of its schedules."""
    for schedule in await session.sql.column("touch_schedules", session.project, orchestration):
        session.say(ScheduleChanged(schedule_id=schedule, project=session.project))


async def find(session: Session, orchestration: str, name: str) -> Row:
    """The schedule; NotFound if it is not there."""
    row = await session.sql.one("schedule", session.project, orchestration, name)
    if row is None:
        raise NotFound(f"{orchestration!r} has no schedule {name!r}", field="schedule")
    return row


async def save(session: Session, orchestration: str, name: str, wish: ScheduleWish) -> SavedPart:
    """Save it; the same wish again changes nothing."""
    times = accept_times(wish.cron, wish.every_seconds, wish.timezone)
    values: dict[str, Any] = asdict(wish) | {"cron": times.cron, "every_seconds": times.every_seconds}
    await lock_orchestration(session, orchestration)
    stored = await session.sql.one("schedule", session.project, orchestration, name)
    if stored is not None and all(stored[key] == value for key, value in values.items()):
        return SavedPart(created=False, changed=False)
    schedule_id = new_id() if stored is None else stored["id"]
    if stored is None:
        await session.sql.run(
            "insert_schedule", schedule_id, session.project, orchestration, name, *values.values()
        )
    else:
        await session.sql.run("update_schedule", schedule_id, *values.values())
    session.say(ScheduleChanged(schedule_id=schedule_id, project=session.project))
    action = "schedule.created" if stored is None else "schedule.changed"
    await session.record(action, f"{orchestration}/{name}", **values)
    return SavedPart(created=stored is None, changed=True)


async def delete(session: Session, orchestration: str, name: str) -> None:
    """Delete it; its recorded fires stay."""
    await lock_orchestration(session, orchestration)
    schedule_id = await session.sql.value("delete_schedule", session.project, orchestration, name)
    if schedule_id is None:
        raise NotFound(f"{orchestration!r} has no schedule {name!r}", field="schedule")
    session.say(ScheduleChanged(schedule_id=schedule_id, project=session.project))
    await session.record("schedule.deleted", f"{orchestration}/{name}")
