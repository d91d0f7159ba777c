"""Definitions as people would write them: without defaults, with durations such as `1h30m`."""

from typing import Any

from orchestrator_shared.definitions.models import Definition, OrchestrationDocument, TaskDocument
from orchestrator_shared.definitions.orchestration import (
    DEFAULT_TIMEOUT_SECONDS,
    OrchestrationDefinition,
    Task,
)
from orchestrator_shared.domain.durations import format_duration
from orchestrator_shared.domain.subscriptions import DEFAULT_MINUTES, DEFAULT_PERCENT

_DURATIONS = {
    "timeout_seconds": "timeout",
    "attempt_delay_seconds": "attempt_delay",
    "every_seconds": "every",
    "catch_up_seconds": "catch_up",
    "cool_down_seconds": "cool_down",
}


def to_document(definition: Definition) -> dict[str, Any]:
    """The document that reads back as the same definition."""
    document: dict[str, Any] = _written(definition.model_dump(mode="json", exclude_defaults=True))
    if isinstance(definition, OrchestrationDocument):
        document["phases"] = [
            {"name": phase.name, "tasks": [_task(task) for task in phase.tasks]}
            for phase in definition.phases
        ]
        if "notify" in definition.model_fields_set:
            document["notify"] = _notify(definition)
        for key in ("schedules", "triggers"):
            if key in document:
                document[key] = {name: _written(item) for name, item in document[key].items()}
    return document


def written_event(event: str, percent: int | None, minutes: int | None) -> Any:
    """An item below `notify`: the limits that are the default are left out."""
    limits = {"percent": (percent, DEFAULT_PERCENT), "minutes": (minutes, DEFAULT_MINUTES)}
    other = {name: value for name, (value, default) in limits.items() if value not in (None, default)}
    return {event: other} if other else event


def phases_of(definition: OrchestrationDefinition) -> list[dict[str, Any]]:
    """The `phases` of a document from what is stored."""
    return [
        {"name": phase.name, "tasks": [_stored_task(task) for task in phase.tasks]}
        for phase in definition.phases
    ]


def _notify(definition: OrchestrationDocument) -> dict[str, list[Any]]:
    written: dict[str, list[Any]] = {}
    for each in definition.subscriptions():
        written.setdefault(each.address, []).append(written_event(each.event, each.percent, each.minutes))
    return written


def _task(task: TaskDocument) -> dict[str, Any]:
    return _written(task.model_dump(mode="json", exclude_defaults=True))


def _stored_task(task: Task) -> dict[str, Any]:
    run = f"{task.component}/{task.configuration}"
    written: dict[str, Any] = {"run": run}
    if task.id != run:
        written["id"] = task.id
    if task.name != task.id:
        written["name"] = task.name
    rest = task.model_dump(
        mode="json", exclude_defaults=True, exclude={"id", "name", "component", "configuration"}
    )
    if rest.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS) in (None, DEFAULT_TIMEOUT_SECONDS):
        rest.pop("timeout_seconds", None)
    return {**written, **_written(rest)}


def _written(values: dict[str, Any]) -> dict[str, Any]:
    """Durations such as `1h30m`, under the keys that people use."""
    return {
        _DURATIONS.get(key, key): format_duration(value) if key in _DURATIONS and value is not None else value
        for key, value in values.items()
    }
