"""Converts definition documents to the state they describe, and back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from orchestrator_api.catalog.secrets import masked_phases
from orchestrator_api.definitions.planning import Desired, Fields, Item, Kind
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_shared.definitions.export import phases_of, to_document, written_event
from orchestrator_shared.definitions.loader import parse_documents
from orchestrator_shared.definitions.models import (
    BucketDocument,
    ComponentDocument,
    ConfigurationDocument,
    Definition,
    OrchestrationDocument,
    VariablesDocument,
)
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition
from orchestrator_shared.domain.tables import TableRef
from orchestrator_shared.secret_handles import Reveal, mask_for_editing
from orchestrator_shared.security import MASK

Entry = tuple[Item, Fields, str]


def read_documents(raws: Sequence[object], project: str) -> Desired:
    """Read the state that the documents describe; reports every problem, by document and path."""
    loaded = parse_documents(raws)
    refuse([FieldError(each.path or "documents", each.message, each.position) for each in loaded.problems])
    desired = Desired()
    for index, document in enumerate(loaded.documents):
        if isinstance(document.definition, OrchestrationDocument):
            desired.phases[document.definition.orchestration] = _phases(document.definition)
        for item, fields, place in _entries(document.definition, project):
            desired.items[item] = fields
            desired.places[item] = f"documents[{index}]{place}"
    return desired


def _phases(document: OrchestrationDocument) -> list[dict[str, Any]]:
    return [
        {"name": phase.name, "tasks": [t.task().model_dump() for t in phase.tasks]}
        for phase in document.phases
    ]


def _entries(definition: Definition, project: str) -> Iterator[Entry]:
    if isinstance(definition, ComponentDocument):
        fields = definition.model_dump(mode="json", exclude={"component"})
        yield (Kind.COMPONENT, definition.component), fields, ""
    elif isinstance(definition, VariablesDocument):
        for name, value in definition.variables.items():
            variable = {"value": value, "secret": name.startswith("#")}
            yield (Kind.VARIABLE, name.removeprefix("#")), variable, f".variables.{name}"
    elif isinstance(definition, BucketDocument):
        yield (Kind.BUCKET, definition.bucket), {"shared_with": sorted(definition.shared_with)}, ""
    elif isinstance(definition, ConfigurationDocument):
        fields = {
            "name": definition.name or definition.id,
            "description": definition.description,
            "parameters": definition.parameters,
        }
        yield (Kind.CONFIGURATION, definition.configuration), fields, ""
    else:
        yield from _orchestration_entries(definition, project)


def _orchestration_entries(document: OrchestrationDocument, project: str) -> Iterator[Entry]:
    name = document.orchestration
    phases = document.definition().to_json()["phases"]
    fields = {
        "name": document.name or name,
        "description": document.description or "",
        "labels": document.labels,
        "enabled": document.enabled,
        "phases": phases,
    }
    yield (Kind.ORCHESTRATION, name), fields, ""
    for key, schedule in document.schedules.items():
        yield (Kind.SCHEDULE, f"{name}/{key}"), schedule.model_dump(mode="json"), f".schedules.{key}"
    for key, trigger in document.triggers.items():
        trigger_fields = trigger.model_dump(mode="json")
        trigger_fields["tables"] = canonical_tables(trigger_fields["tables"], project)
        yield (Kind.TRIGGER, f"{name}/{key}"), trigger_fields, f".triggers.{key}"
    if "notify" in document.model_fields_set:
        wanted = [[s.event, s.address, s.percent, s.minutes] for s in document.subscriptions()]
        yield (Kind.NOTIFICATIONS, name), {"subscriptions": wanted}, ".notify"


def _written(model: type[BaseModel], raw: dict[str, Any]) -> dict[str, Any]:
    """The document; if the current rules reject it, as it is stored, so that people can repair it."""
    try:
        definition: Any = model.model_validate(raw)
    except ValidationError:
        return {key: value for key, value in raw.items() if value is not None}
    document: dict[str, Any] = to_document(definition)
    return document


def canonical_tables(tables: Sequence[str], project: str) -> list[str]:
    """The tables without duplicates, in a canonical order and spelling."""
    refs = sorted({TableRef.parse(text, own_project=project) for text in tables})
    return [str(ref.name) if ref.project == project else str(ref) for ref in refs]


def write_documents(
    current: Mapping[Item, Fields], read: Reveal = lambda stored: stored
) -> list[dict[str, Any]]:
    """Write a project as documents that describe the same project when read again.

    Secrets are masked, after `read` has shown which of the stored parameters are none.
    """
    documents: list[dict[str, Any]] = []
    variables = {
        f"#{name}" if fields["secret"] else name: MASK if fields["secret"] else fields["value"]
        for (kind, name), fields in sorted(current.items())
        if kind is Kind.VARIABLE
    }
    if variables:
        documents.append(_written(VariablesDocument, {"variables": variables}))
    for (kind, name), fields in sorted(current.items()):
        if kind is Kind.BUCKET:
            documents.append(_written(BucketDocument, {"bucket": name, **fields}))
    for (kind, name), fields in sorted(current.items()):
        if kind is Kind.CONFIGURATION:
            documents.append(_configuration(name, fields, read))
    for (kind, name), fields in sorted(current.items()):
        if kind is Kind.ORCHESTRATION:
            documents.append(_orchestration(name, fields, current, read))
    return documents


def _configuration(name: str, fields: Fields, read: Reveal) -> dict[str, Any]:
    raw = {
        "configuration": name,
        "name": _unless(fields["name"], name.partition("/")[2]),
        "description": fields["description"],
        "parameters": mask_for_editing(read(fields["parameters"])),
    }
    return _written(ConfigurationDocument, raw)


def _orchestration(name: str, fields: Fields, current: Mapping[Item, Fields], read: Reveal) -> dict[str, Any]:
    stored = OrchestrationDefinition.model_validate({"phases": masked_phases(fields["phases"], read)})
    subscriptions = current.get((Kind.NOTIFICATIONS, name), {"subscriptions": []})["subscriptions"]
    notify: dict[str, list[Any]] = {}
    for event, address, percent, minutes in subscriptions:
        notify.setdefault(address, []).append(written_event(event, percent, minutes))
    raw: dict[str, Any] = {
        "orchestration": name,
        "name": _unless(fields["name"], name),
        "description": fields["description"] or None,
        "labels": fields["labels"],
        "enabled": fields["enabled"],
        "phases": phases_of(stored),
        "schedules": {key: _schedule(part) for key, part in _parts(Kind.SCHEDULE, name, current)},
        "triggers": {key: _trigger(part) for key, part in _parts(Kind.TRIGGER, name, current)},
    }
    if (Kind.NOTIFICATIONS, name) in current:
        raw["notify"] = notify
    return _written(OrchestrationDocument, raw)


def _parts(kind: Kind, orchestration: str, current: Mapping[Item, Fields]) -> Iterator[tuple[str, Fields]]:
    for (each, name), fields in sorted(current.items()):
        owner, _, key = name.partition("/")
        if each is kind and owner == orchestration:
            yield key, fields


def _schedule(fields: Fields) -> dict[str, Any]:
    renamed = {"every_seconds": "every", "catch_up_seconds": "catch_up"}
    return {renamed.get(key, key): value for key, value in fields.items() if value is not None}


def _trigger(fields: Fields) -> dict[str, Any]:
    return {"cool_down" if key == "cool_down_seconds" else key: value for key, value in fields.items()}


def _unless(name: str, default: str) -> str | None:
    return None if name == default else name
