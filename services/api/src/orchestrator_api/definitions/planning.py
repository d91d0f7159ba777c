"""Decides what applying definitions would change: a pure comparison, used by plan and apply."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from orchestrator_api.catalog.phases import unknown_targets
from orchestrator_api.http.conditional import entity_tag
from orchestrator_api.http.refusals import FieldError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.ordered import same


class Kind(StrEnum):
    """The kinds of items in definitions, in the order in which they are created."""

    COMPONENT = "component"
    VARIABLE = "variable"
    BUCKET = "bucket"
    CONFIGURATION = "configuration"
    ORCHESTRATION = "orchestration"
    SCHEDULE = "schedule"
    TRIGGER = "trigger"
    NOTIFICATIONS = "notifications"


class Action(StrEnum):
    """What happens to an item."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DELETE = "delete"


PRUNED = frozenset({Kind.CONFIGURATION, Kind.ORCHESTRATION, Kind.VARIABLE})
"""What `prune` deletes; other kinds only if they are named."""
PRUNABLE = PRUNED | {Kind.BUCKET}

Fields = Mapping[str, Any]
Item = tuple[Kind, str]
"""The id of a schedule or trigger is orchestration/name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One item and what happens to it; `fields` are the paths that differ."""

    kind: Kind
    id: str
    action: Action
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """The state that the documents describe, with secrets in the clear."""

    items: dict[Item, Fields] = field(default_factory=dict)
    places: dict[Item, str] = field(default_factory=dict)
    """Where each item comes from, such as documents[2].schedules.daily."""
    phases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The phases of each orchestration as written, including empty ones, so that paths match the document."""


def compare(
    desired: Mapping[Item, Fields], current: Mapping[Item, Fields], *, prune: Set[Kind]
) -> list[Change]:
    """All changes, in an order in which they can be applied; items of the kinds in `prune` are deleted
    where no document has them.
    """
    wanted = [
        Change(kind, name, *_compare_fields(fields, current.get((kind, name))))
        for (kind, name), fields in desired.items()
    ]
    gone = [Change(kind, name, Action.DELETE) for kind, name in _unwanted(desired, current, prune=prune)]
    # Deletions come last: what is deleted may still be used by an item that changes first.
    return [*_creations(wanted, desired), *_deletions(gone, current)]


def plan_id(changes: Iterable[Change], etags: Mapping[Item, str]) -> str:
    """Identifies these changes, and the states of what they are about."""
    seen = [
        [change.kind, change.id, change.action, change.fields, etags.get((change.kind, change.id))]
        for change in changes
    ]
    return entity_tag(seen).strip('"')


def _compare_fields(wanted: Fields, present: Fields | None) -> tuple[Action, tuple[str, ...]]:
    if present is None:
        return Action.CREATE, ()
    fields = tuple(differing(wanted, present))
    return (Action.UPDATE, fields) if fields else (Action.UNCHANGED, ())


def differing(wanted: Fields, present: Fields) -> list[str]:
    """The paths that differ, at most two levels deep; never the values, because they may be secret."""
    found = []
    for key in sorted(wanted.keys() | present.keys()):
        new, old = wanted.get(key), present.get(key)
        if same(new, old):
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            inner = sorted(n for n in new.keys() | old.keys() if not same(new.get(n), old.get(n)))
            found += [f"{key}.{name}" for name in inner] or [key]
        else:
            found.append(key)
    return found


def _unwanted(
    desired: Mapping[Item, Fields], current: Mapping[Item, Fields], *, prune: Set[Kind]
) -> Iterable[Item]:
    """What exists but is in no document.

    A document describes its orchestration completely, so what is missing there is deleted; elsewhere only
    with `prune`.
    """
    for kind, name in current.keys() - desired.keys():
        orchestration = (Kind.ORCHESTRATION, name.partition("/")[0])
        if kind in (Kind.SCHEDULE, Kind.TRIGGER):
            if orchestration in desired:
                yield kind, name
        elif kind is Kind.NOTIFICATIONS:
            if orchestration in desired and current[kind, name]["subscriptions"]:
                yield kind, name
        elif kind in prune and not (kind is Kind.VARIABLE and current[kind, name]["secret"]):
            yield kind, name  # secrets are rarely written to files, so secret variables stay


def _deletions(changes: list[Change], current: Mapping[Item, Fields]) -> list[Change]:
    """Schedules and triggers first, then orchestrations before what they run."""
    order = _nesting_order({c.id: current[c.kind, c.id] for c in changes if c.kind is Kind.ORCHESTRATION})
    kinds = list(reversed(Kind))
    return sorted(
        changes, key=lambda c: (kinds.index(c.kind), -order.index(c.id) if c.id in order else 0, c.id)
    )


def _creations(changes: list[Change], desired: Mapping[Item, Fields]) -> list[Change]:
    """An orchestration comes after those that it runs."""
    order = _nesting_order({c.id: desired[c.kind, c.id] for c in changes if c.kind is Kind.ORCHESTRATION})
    kinds = list(Kind)
    return sorted(
        changes, key=lambda c: (kinds.index(c.kind), order.index(c.id) if c.id in order else 0, c.id)
    )


def _nesting_order(orchestrations: Mapping[str, Fields]) -> list[str]:
    """Children first; in a cycle any order will do, because saving it fails anyway."""
    graph = {name: nested(fields) & orchestrations.keys() for name, fields in sorted(orchestrations.items())}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return sorted(orchestrations)


def nested(fields: Fields) -> set[str]:
    """The orchestrations that an orchestration runs."""
    return {name for kind, name in _targets(fields) if kind is Kind.ORCHESTRATION}


def _targets(fields: Fields) -> Iterable[Item]:
    for phase in fields.get("phases", []):
        for task in phase["tasks"]:
            if task["component"] == ORCHESTRATOR:
                yield Kind.ORCHESTRATION, task["configuration"]
            else:
                yield Kind.CONFIGURATION, f"{task['component']}/{task['configuration']}"


def needs(item: Item, fields: Fields) -> set[Item]:
    """What must exist before the item can be saved."""
    kind, name = item
    if kind is Kind.ORCHESTRATION:
        return set(_targets(fields))
    if kind is Kind.CONFIGURATION:
        return {(Kind.COMPONENT, name.partition("/")[0])}
    if kind in (Kind.SCHEDULE, Kind.TRIGGER, Kind.NOTIFICATIONS):
        return {(Kind.ORCHESTRATION, name.partition("/")[0])}
    return set()


def unknown_tasks(desired: Desired, known: Set[Item]) -> list[FieldError]:
    """Tasks whose target neither exists nor is in a document, by document and path."""
    components = {name for kind, name in known if kind is Kind.COMPONENT} | {ORCHESTRATOR}
    configurations = {
        (component, configuration)
        for kind, name in known
        if kind is Kind.CONFIGURATION
        for component, _, configuration in [name.partition("/")]
    } | {(ORCHESTRATOR, name) for kind, name in known if kind is Kind.ORCHESTRATION}
    return [
        FieldError(document_path(desired.places[item], error.field, item), error.detail)
        for item, phases in (((Kind.ORCHESTRATION, name), each) for name, each in desired.phases.items())
        for error in unknown_targets(phases, components, configurations)
    ]


def document_path(place: str, field: str | None, item: Item) -> str:
    """Translate an error's field to a path in the documents, where a task's target is written as `run`."""
    if not field or item[0] is Kind.VARIABLE:
        return place
    parts = field.split(".")
    if item[0] is Kind.ORCHESTRATION and len(parts) > 1 and parts[-1] in ("component", "configuration"):
        parts[-1] = "run"
    if item[0] is Kind.CONFIGURATION and parts == ["component"]:
        parts = ["configuration"]
    return place + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)
