"""The current project in the form in which definitions are compared; secrets as they are stored."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator_api.catalog import components, configurations
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.definitions.documents import canonical_tables
from orchestrator_api.definitions.planning import Fields, Item, Kind
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.projects import variables
from orchestrator_api.schedules import service as schedules
from orchestrator_api.tables import service as tables
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
OPTIONAL_FIELDS = ("http", "docker", "kubernetes", "reads", "writes", "description")


MAX_COMPARED = 16 * 1024 * 1024
"""Limit on the bytes of stored parameters that one comparison reads: sixteen request bodies."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What exists."""

    items: dict[Item, Fields] = field(default_factory=dict)
    etags: dict[Item, str] = field(default_factory=dict)
    """The states in which the items were read; also of notifications that count as not configured."""

    def add(self, item: Item, fields: Fields, etag: str) -> None:
        """Add an item in its state."""
        self.items[item] = fields
        self.etags[item] = etag


async def read_for(session: Session, desired: Mapping[Item, Fields]) -> Snapshot:
    """Read what these definitions are compared with; of other configurations only that they exist.

    Includes the schedules and triggers of orchestrations that are about to be restored.
    """
    restoring = [name for kind, name in desired if kind is Kind.ORCHESTRATION]
    found = await read_without_configurations(session, restoring)
    for state in await configurations.all_states(session):
        found.add((Kind.CONFIGURATION, f"{state.component}/{state.id}"), {}, state.etag)
    names = [name.partition("/") for kind, name in desired if kind is Kind.CONFIGURATION]
    keys = [(component, name) for component, _, name in names]
    for each in await configurations.named(session, keys, max_bytes=MAX_COMPARED):
        found.add((Kind.CONFIGURATION, f"{each.component}/{each.id}"), _configuration(each), each.etag)
    for item, fields in desired.items():
        if item[0] is Kind.BUCKET and not fields["shared_with"]:  # as is every bucket that has no share
            found.items.setdefault(item, {"shared_with": []})
    return found


async def configuration_parts(session: Session) -> AsyncIterator[dict[Item, Fields]]:
    """Read the configurations a few megabytes at a time: all of them may not fit into memory."""
    async for part in configurations.all_in_batches(session):
        yield {(Kind.CONFIGURATION, f"{each.component}/{each.id}"): _configuration(each) for each in part}


def _configuration(stored: Configuration) -> Fields:
    return {"name": stored.name, "description": stored.description, "parameters": stored.parameters}


async def read_without_configurations(session: Session, restoring: Iterable[str] = ()) -> Snapshot:
    """Read everything except configurations."""
    snapshot = Snapshot()
    for component in await components.listing(session):
        if component.id != ORCHESTRATOR:
            definition = {"name": component.name, "environment": {}, "parameters": {}, **component.definition}
            fields = [*COMPONENT_FIELDS, *(name for name in OPTIONAL_FIELDS if definition.get(name))]
            shown = {name: definition.get(name) for name in fields}
            snapshot.add((Kind.COMPONENT, component.id), shown, component.etag)
    for each in await variables.listing(session):
        snapshot.add((Kind.VARIABLE, each.name), {"value": each.value, "secret": each.secret}, each.etag)
    for bucket, projects in (await tables.all_shares(session)).items():
        snapshot.add((Kind.BUCKET, bucket), {"shared_with": projects}, tables.tag(projects))
    found = await configurations.all_orchestrations(session)
    snapshot.items.update(await session.offload.run(_orchestrations, found))
    snapshot.etags.update({(Kind.ORCHESTRATION, each.id): each.etag for each in found})
    existing = {each.id for each in found}
    known = existing | set(restoring)
    await _add_starters(session, snapshot, known)
    await _add_notifications(session, snapshot, existing, known)
    return snapshot


async def read_orchestration(session: Session, orchestration: str) -> Snapshot:
    """Read one orchestration and what belongs to it; raises NotFound if it does not exist."""
    snapshot = Snapshot()
    stored = await configurations.load(session, configurations.orchestration_key(orchestration))
    snapshot.add((Kind.ORCHESTRATION, orchestration), _orchestration(stored), stored.etag)
    await _add_starters(session, snapshot, {orchestration})
    await _add_notifications(session, snapshot, {orchestration}, {orchestration})
    return snapshot


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
        "labels": list(stored.labels),
        "enabled": stored.enabled,
        "phases": OrchestrationDefinition.model_validate(stored.parameters).to_json()["phases"],
    }


async def _add_starters(session: Session, snapshot: Snapshot, known: set[str]) -> None:
    for schedule in await schedules.listing(session, known):
        fields = {name: getattr(schedule, name) for name in SCHEDULE_FIELDS}
        snapshot.add((Kind.SCHEDULE, f"{schedule.orchestration}/{schedule.name}"), fields, schedule.etag)
    for trigger in await triggers.listing(session, known):
        shown = {
            "tables": canonical_tables(trigger.tables, session.project),
            "cool_down_seconds": trigger.cool_down_seconds,
            "mode": trigger.mode,
            "enabled": trigger.enabled,
            "allow_self_trigger": trigger.allow_self_trigger,
        }
        snapshot.add((Kind.TRIGGER, f"{trigger.orchestration}/{trigger.name}"), shown, trigger.etag)


async def _add_notifications(
    session: Session, snapshot: Snapshot, existing: set[str], known: set[str]
) -> None:
    by_orchestration: dict[str, list[StoredSubscription]] = {name: [] for name in sorted(known)}
    for each in await notifications.listing(session, known):
        by_orchestration[each.orchestration].append(each)
    for name, found in by_orchestration.items():
        snapshot.etags[Kind.NOTIFICATIONS, name] = notifications.tag(found)
        if any(each.automatic for each in found):
            continue  # the only subscription then: nobody has configured notifications
        listed = [[each.event, each.address, each.percent, each.minutes] for each in found]
        if listed or name in existing:
            shown = {"subscriptions": sorted(listed, key=lambda each: each[:2])}
            snapshot.items[Kind.NOTIFICATIONS, name] = shown
