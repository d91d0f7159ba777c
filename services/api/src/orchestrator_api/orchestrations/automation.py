"""Automates a configuration: an orchestration that has it as its only task, with a schedule if wanted."""

from dataclasses import dataclass
from typing import Any

from orchestrator_api.access import keyed_answers
from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key, orchestration_key
from orchestrator_api.catalog.copies import refuse_taken
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import service, views
from orchestrator_api.orchestrations.new_ids import MOST_TRIED, free_id
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_api.orchestrations.store import OrchestrationStore
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.rows import ScheduleSpec
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

SCHEDULE = "main"
"""The name of the schedule that is created."""
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Automation:
    """What to create."""

    id: str | None = None
    name: str | None = None
    schedule: ScheduleSpec | None = None
    dedup_key: DedupKey | None = None
    """The caller's idempotency key, if it sent one."""


async def automate(session: Session, key: Key, wish: Automation) -> str:
    """Create the orchestration; returns its id."""
    session.actor.require_configure(ORCHESTRATOR)
    session.actor.require_configure(key.component, field="component")
    if made := await _made_already(session, wish.dedup_key):
        return made
    stored = await _configuration(session, key)
    await configurations.lock_orchestrations(session)
    orchestration = await _id(session, key, wish.id)
    spec = OrchestrationSpec(
        name=wish.name or await _name(session, stored.name),
        description=stored.description,
        enabled=True,
        phases=[{"name": None, "tasks": [_task(stored)]}],
        note=f"automates {key}",
    )
    await service.save(session, orchestration, spec)
    if wish.schedule is not None:
        await schedules.save(session, orchestration, SCHEDULE, wish.schedule)
    if wish.dedup_key is not None:
        answer = {"orchestration": orchestration}
        await keyed_answers.remember(session, wish.dedup_key.id, wish.dedup_key.digest, answer)
    return orchestration


async def _made_already(session: Session, dedup_key: DedupKey | None) -> str | None:
    """The id of the orchestration that the same request has created."""
    if dedup_key is None:
        return None
    found = await keyed_answers.earlier(session, dedup_key.id, dedup_key.digest)
    return None if found is None else str(found["orchestration"])


def _task(stored: Configuration) -> dict[str, Any]:
    return {"component": stored.component, "configuration": stored.id, "name": stored.name}


async def _configuration(session: Session, key: Key) -> Configuration:
    """The configuration; says what to do instead if it is an orchestration or a table."""
    if key.component == ORCHESTRATOR:
        raise UserError(
            "an orchestration is automated by a schedule or a trigger of its own: save one of these",
            field="component",
        )
    try:
        return await configurations.load(session, key)
    except NotFound:
        if await _is_table(session, key.id):
            raise UserError(
                f"{key.id} is a table, not a configuration: data that is uploaded by hand cannot be a task. "
                "To run something whenever it is updated, save a trigger with this table: "
                "PUT …/orchestrations/{id}/triggers/{name}",
                field="configuration",
            ) from None
        raise


async def _is_table(session: Session, name: str) -> bool:
    """By its name, such as in.c-sales.orders, or because updates of it were heard."""
    if name.startswith(("in.", "out.")) and name.count(".") > 1:
        return True
    return await OrchestrationStore(session.connection).is_table(project=session.project, name=name)


async def _id(session: Session, key: Key, wanted: str | None) -> str:
    """The id that was given, or a free one like that of the configuration."""
    if wanted is not None:
        await refuse_taken(session, orchestration_key(wanted))
        return wanted
    return await free_id(session, key.id)


async def _name(session: Session, name: str) -> str:
    """The name of the configuration, with a number if another orchestration has it."""
    suffixes = ("", *(f" ({number})" for number in range(2, MOST_TRIED + 1)))
    tried = [f"{name[: MAX_NAME - len(suffix)]}{suffix}" for suffix in suffixes]
    taken = await configurations.taken_names(session, tried)
    free = next((each for each in tried if each not in taken), None)
    if free is None:
        raise Conflict(f"{MOST_TRIED} orchestrations are called {name}: give a name", field="name")
    return free


async def shown(session: Session, orchestration: str) -> views.Shown:
    """The new orchestration, with a warning if no one would hear of its errors."""
    row = await configurations.load(session, orchestration_key(orchestration))
    (found,) = await views.orchestrations(session, [row])
    told = await notifications.listing(session, [orchestration])
    is_heard = any(each.event == "error" for each in told)
    if not is_heard and views.NO_ONE_NOTIFIED not in found.warnings:
        found.warnings.append(views.NO_ONE_NOTIFIED)
    return found
