"""The current project in the form in which definitions are compared; secrets as they are stored."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence

from orchestrator_api.catalog import components, configurations
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.definitions.documents import canonical_tables
from orchestrator_api.definitions.planning import Fields, Item, Kind
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.projects import variables
from orchestrator_api.schedules import service as schedules
from orchestrator_api.triggers import service as triggers
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition
from orchestrator_shared.domain.ids import ORCHESTRATOR

SCHEDULE_FIELDS = (
    "cron",
    "every_seconds",
    "timezone",
    "enabled",
    "overlap",
    "misfire",
    "catch_up_seconds",
)
COMPONENT_FIELDS = ("name", "type", "executor", "command", "environment", "after_crash", "parameters")
OPTIONAL_FIELDS = ("http", "reads", "writes", "description")


MAX_COMPARED = 16 * 1024 * 1024
"""Limit on the bytes of stored parameters that one comparison reads: sixteen request bodies."""


async def read_for(session: Session, desired: Collection[Item]) -> dict[Item, Fields]:
    """Read what these definitions are compared with; of other configurations only that they exist.

    Includes the schedules and triggers of orchestrations that are about to be restored.
    """
    restoring = [name for kind, name in desired if kind is Kind.ORCHESTRATION]
    items = await read_without_configurations(session, restoring)
    for key in await configurations.all_keys(session):
        items[Kind.CONFIGURATION, str(key)] = {}
    names = [name.partition("/") for kind, name in desired if kind is Kind.CONFIGURATION]
    keys = [(component, name) for component, _, name in names]
    for each in await configurations.named(session, keys, max_bytes=MAX_COMPARED):
        items[Kind.CONFIGURATION, f"{each.component}/{each.id}"] = _configuration(each)
    return items


async def configuration_parts(session: Session) -> AsyncIterator[dict[Item, Fields]]:
    """Read the configurations a few megabytes at a time: all of them may not fit into memory."""
    async for part in configurations.all_in_batches(session):
        yield {(Kind.CONFIGURATION, f"{each.component}/{each.id}"): _configuration(each) for each in part}


def _configuration(stored: Configuration) -> Fields:
    return {"name": stored.name, "description": stored.description, "parameters": stored.parameters}


async def read_without_configurations(session: Session, restoring: Iterable[str] = ()) -> dict[Item, Fields]:
    """Read everything except configurations."""
    items: dict[Item, Fields] = {}
    for component in await components.listing(session):
        if component.id != ORCHESTRATOR:
            definition = {"name": component.name, "environment": {}, "parameters": {}, **component.definition}
            fields = [*COMPONENT_FIELDS, *(name for name in OPTIONAL_FIELDS if definition.get(name))]
            items[Kind.COMPONENT, component.id] = {name: definition.get(name) for name in fields}
    for each in await variables.listing(session):
        items[Kind.VARIABLE, each.name] = {"value": each.value, "secret": each.secret}
    found = await configurations.all_orchestrations(session)
    items |= await session.offload.run(_orchestrations, found)
    existing = {name for kind, name in items if kind is Kind.ORCHESTRATION}
    return items | await _starters(session, existing, set(restoring))


def in_the_clear(session: Session, items: Mapping[Item, Fields]) -> dict[Item, Fields]:
    """The same with every secret decrypted whose key is there."""
    return {item: _clear(session, item[0], fields) for item, fields in items.items()}


def _clear(session: Session, kind: Kind, fields: Fields) -> Fields:
    if kind is Kind.VARIABLE and fields["secret"]:
        secret = session.encryption.read_secrets({"#": fields["value"]}, session.project)["#"]
        return {**fields, "value": secret}
    if kind in (Kind.CONFIGURATION, Kind.ORCHESTRATION):
        clear: Fields = session.encryption.read_secrets(fields, session.project)
        return clear
    return fields


def _orchestrations(found: Sequence[Configuration]) -> dict[Item, Fields]:
    return {(Kind.ORCHESTRATION, each.id): _orchestration(each) for each in found}


def _orchestration(stored: Configuration) -> Fields:
    return {
        "name": stored.name,
        "description": stored.description,
        "enabled": stored.enabled,
        "phases": OrchestrationDefinition.model_validate(stored.parameters).to_json()["phases"],
    }


async def _starters(session: Session, existing: set[str], restoring: set[str]) -> dict[Item, Fields]:
    project = session.project
    known = existing | restoring
    items: dict[Item, Fields] = {}
    for schedule in await schedules.listing(session, known):
        fields = {name: getattr(schedule, name) for name in SCHEDULE_FIELDS}
        items[Kind.SCHEDULE, f"{schedule.orchestration}/{schedule.name}"] = fields
    for trigger in await triggers.listing(session, known):
        items[Kind.TRIGGER, f"{trigger.orchestration}/{trigger.name}"] = {
            "tables": canonical_tables(trigger.tables, project),
            "cool_down_seconds": trigger.cool_down_seconds,
            "mode": trigger.mode,
            "enabled": trigger.enabled,
            "allow_self_trigger": trigger.allow_self_trigger,
        }
    subscriptions: dict[str, list[list[str | int | None]]] = {name: [] for name in existing}
    for each in await notifications.listing(session, known):
        if each.automatic:  # the only subscription then: nobody has configured notifications
            subscriptions.pop(each.orchestration, None)
            continue
        fields_of_one = [each.event, each.address, each.percent, each.minutes]
        subscriptions.setdefault(each.orchestration, []).append(fields_of_one)
    for name, listed in subscriptions.items():
        items[Kind.NOTIFICATIONS, name] = {"subscriptions": sorted(listed, key=lambda each: each[:2])}
    return items
