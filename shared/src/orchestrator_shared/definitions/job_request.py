"""The job request that a task sends: its own settings with its Task Parameters merged over them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator_shared.definitions.orchestration import MAX_ATTEMPTS, MAX_DELAY_SECONDS, RetryOn
from orchestrator_shared.domain.durations import MAX_SECONDS, parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.merging import deep_merge
from orchestrator_shared.validation import describe, explain, path_of

DAY_SECONDS = 86_400.0
NESTED_TIMEOUT = "a nested orchestration has no time limit: give one to its tasks"


class JobRequest(BaseModel):
    """What a task asks for. Unknown keys are kept, since a component may read them."""

    model_config = ConfigDict(frozen=True, extra="allow")

    parameters: dict[str, Any] = {}
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, strict=True)
    attempts: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)
    attempt_delay_seconds: float = Field(default=0, ge=0, le=MAX_DELAY_SECONDS)
    attempt_backoff: float = Field(default=1, ge=1, le=10)
    retry_on: RetryOn = "any"
    timeout_seconds: float | None = Field(default=DAY_SECONDS, gt=0, le=MAX_SECONDS)


_OWN = ("attempts", "attempt_delay_seconds", "attempt_backoff", "retry_on", "timeout_seconds")
_DURATIONS = {"timeout": "timeout_seconds", "attempt_delay": "attempt_delay_seconds"}
"""Task Parameters may use the YAML keys."""


def job_request(
    task: Mapping[str, Any], parameters: Mapping[str, Any], version: int | None = None
) -> JobRequest:
    """`parameters` of this one run over the Task Parameters over the task's own settings.

    A pinned `version` gives way to the one that the Task Parameters name. Nested orchestrations have no time
    limit. Raises UserError naming task and field.
    """
    request: dict[str, Any] = {name: task[name] for name in _OWN if name in task}
    if version is not None:
        request["version"] = version
    try:
        merged = deep_merge(request, _in_seconds(task.get("parameters") or {}))
        if parameters:
            merged = deep_merge(merged, {"parameters": parameters})
        if task["component"] == ORCHESTRATOR:
            merged["timeout_seconds"] = None
        return JobRequest.model_validate(merged)
    except ValidationError as error:
        raise UserError(explain(error), field=f"tasks.{task['id']}.parameters") from error
    except UserError as error:
        raise UserError(str(error), field=f"tasks.{task['id']}.parameters") from error


def wrong_task_parameters(component: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Key and reason of each Task Parameter with which no run could start."""
    if component == ORCHESTRATOR:
        limits = [key for key in ("timeout", "timeout_seconds") if parameters.get(key) is not None]
        if limits:
            return [(limits[0], NESTED_TIMEOUT)]
    try:
        JobRequest.model_validate(_in_seconds(parameters))
    except ValidationError as error:
        items = error.errors(include_input=False, include_url=False)
        return [(path_of(item), describe(item)) for item in items]
    except UserError as error:
        return [(error.field or "", error.detail)]
    return []


def _in_seconds(parameters: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in parameters.items() if key not in _DURATIONS}
    for key, name in _DURATIONS.items():
        if key in parameters:
            given[name] = parse_duration(parameters[key], field=key)
    return given
