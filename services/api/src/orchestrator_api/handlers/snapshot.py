"""A project as it is, in the form in which definitions are compared; secrets in the clear."""

from collections.abc import Iterable, Sequence

from orchestrator_api.adapters.sql import Row
from orchestrator_api.domain.documents import canonical_tables
from orchestrator_api.domain.planning import Fields, Item, Kind
from orchestrator_api.session import Session
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
OPTIONAL_FIELDS = ("http", "reads", "writes")


async def read(session: Session, reviving: Iterable[str] = ()) -> dict[Item, Fields]:
    """Everything that definitions can define; with what starts the orchestrations that leave the trash."""
    project = session.project
    items: dict[Item, Fields] = {}
    for row in await session.sql.many("components", None, None):
        if row["id"] != ORCHESTRATOR:
            definition = {"name": row["name"], "environment": {}, "parameters": {}, **row["definition"]}
            fields = [*COMPONENT_FIELDS, *(name for name in OPTIONAL_FIELDS if name in definition)]
            items[Kind.COMPONENT, row["id"]] = {name: definition.get(name) for name in fields}
    for row in await session.sql.many("variables", project):
        items[Kind.VARIABLE, row["name"]] = _variable(session, row)
    for row in await session.sql.many("configurations", project, None, None, None, None):
        items[Kind.CONFIGURATION, f"{row['component']}/{row['id']}"] = {
            "name": row["name"],
            "description": row["description"],
            "parameters": session.encryption.decrypt_secrets(row["parameters"], project),
        }
    for row in await session.sql.many("configurations", project, ORCHESTRATOR, None, None, None):
        items[Kind.ORCHESTRATION, row["id"]] = _orchestration(session, row)
    living = {name for kind, name in items if kind is Kind.ORCHESTRATION}
    return items | await _starters(session, living | set(reviving))


def _variable(session: Session, row: Row) -> Fields:
    value = row["value"]
    if row["secret"]:
        value = session.encryption.decrypt_value(value, project=session.project)
    return {"value": value, "secret": row["secret"]}


def _orchestration(session: Session, row: Row) -> Fields:
    clear = session.encryption.decrypt_secrets(row["parameters"], session.project)
    return {
        "name": row["name"],
        "description": row["description"],
        "enabled": row["enabled"],
        "phases": OrchestrationDefinition.model_validate(clear).to_json()["phases"],
    }


async def _starters(session: Session, living: set[str]) -> dict[Item, Fields]:
    project = session.project
    items: dict[Item, Fields] = {}
    for row in _of(living, await session.sql.many("schedules", project, None)):
        fields = {name: row[name] for name in SCHEDULE_FIELDS}
        items[Kind.SCHEDULE, f"{row['orchestration']}/{row['name']}"] = fields
    for row in _of(living, await session.sql.many("triggers", project, None, None, None)):
        items[Kind.TRIGGER, f"{row['orchestration']}/{row['name']}"] = {
            "tables": canonical_tables(row["tables"], project),
            "cool_down_seconds": row["cool_down_seconds"],
            "mode": row["mode"],
            "enabled": row["enabled"],
        }
    subscriptions: dict[str, list[list[str]]] = {}
    for row in _of(living, await session.sql.many("subscriptions", project, None)):
        subscriptions.setdefault(row["orchestration"], []).append([row["event"], row["address"]])
    for name, pairs in subscriptions.items():
        items[Kind.NOTIFICATIONS, name] = {"subscriptions": sorted(pairs)}
    return items


def _of(living: set[str], rows: Sequence[Row]) -> list[Row]:
    """Without what belongs to orchestrations that stay in the trash."""
    return [row for row in rows if row["orchestration"] in living]
