"""The settings of a task as fields of a form, and back. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator_api.drafts.board import CardTask
from orchestrator_api.http.refusals import FieldError, Invalid
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks.asked import Operations
from orchestrator_shared.definitions.orchestration import DEFAULT_TIMEOUT_SECONDS
from orchestrator_shared.definitions.task_names import has_own_name

_AT = "operations.0.values"
PLACES: Mapping[str, str] = {
    f"{_AT}.name": "name",
    f"{_AT}.attempts": "attempts",
    f"{_AT}.timeout_seconds": "timeout",
    f"{_AT}.parameters": "parameters",
    "values.timeout_seconds": "timeout",
    "values.parameters": "parameters",
    "operations": "form",
}
"""The field of the form for each path of the operation."""


def values_of(task: CardTask) -> Fields:
    """What the form begins with."""
    seconds = task.timeout_seconds
    is_named = has_own_name(task.name, task.id, task.component, task.configuration)
    is_usual = seconds in (None, DEFAULT_TIMEOUT_SECONDS)
    return Fields(
        task=task.id,
        name=task.name if is_named else "",
        enabled="true" if task.enabled else "",
        continue_on_failure="true" if task.continue_on_failure else "",
        attempts=str(task.attempts),
        timeout="" if is_usual else f"{(seconds or 0) / 60:g}",
        parameters=json.dumps(dict(task.parameters), indent=2, ensure_ascii=False) if task.parameters else "",
    )


def settings_of(fields: Fields) -> Operations:
    """The operation that sets what the form says; raises Invalid with what cannot be read."""
    errors: list[FieldError] = []
    values: dict[str, Any] = {
        "name": fields["name"].strip() or fields["task"],
        "enabled": fields["enabled"] == "true",
        "continue_on_failure": fields["continue_on_failure"] == "true",
        "attempts": _whole(fields["attempts"], errors),
        "parameters": _object(fields["parameters"], errors),
    }
    if "timeout" in fields:
        values["timeout_seconds"] = _seconds(fields["timeout"].strip(), errors)
    if errors:
        raise Invalid(errors)
    return [{"operation": "set_tasks", "tasks": [fields["task"]], "values": values}]


def _whole(text: str, errors: list[FieldError]) -> int:
    try:
        return int(text)
    except ValueError:
        errors.append(FieldError("attempts", "must be a whole number from 1 to 20"))
        return 1


def _seconds(text: str, errors: list[FieldError]) -> int | None:
    if not text:
        return None
    try:
        return round(float(text.replace(",", ".")) * 60)
    except (ValueError, OverflowError):
        errors.append(FieldError("timeout", "must be a number of minutes, such as 30"))
        return None


def _object(text: str, errors: list[FieldError]) -> dict[str, Any]:
    """The object; a mistake is said with its line and column."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
        errors.append(FieldError("parameters", detail))
        return {}
    except RecursionError:
        errors.append(FieldError("parameters", "is nested too deeply"))
        return {}
    if not isinstance(found, dict):
        errors.append(FieldError("parameters", 'must be an object, such as {"parameters": {…}}'))
        return {}
    return found
