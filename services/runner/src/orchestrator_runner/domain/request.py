"""The job request that a task sends: its own settings with its Task Parameters merged over them."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator_runner.domain.parameters import deep_merge
from orchestrator_shared.contracts.envelope import explain
from orchestrator_shared.domain.durations import parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

DAY_SECONDS = 86_400.0


class JobRequest(BaseModel):
    """What a task asks for. Unknown keys are kept: a component's author may look for them later."""

    model_config = ConfigDict(frozen=True, extra="allow")

    parameters: dict[str, Any] = {}
    version: int | None = Field(default=None, ge=1)
    attempts: int = Field(default=1, ge=1, le=100)
    attempt_delay_seconds: float = Field(default=0, ge=0, le=DAY_SECONDS)
    attempt_backoff: float = Field(default=1, ge=1, le=10)
    retry_on: Literal["any", "user", "internal"] = "any"
    timeout_seconds: float | None = Field(default=DAY_SECONDS, gt=0)


_OWN = ("attempts", "attempt_delay_seconds", "attempt_backoff", "retry_on", "timeout_seconds")


def job_request(
    task: Mapping[str, Any], parameters: Mapping[str, Any], version: int | None = None
) -> JobRequest:
    """`parameters` of this one run over the Task Parameters over the task's own settings.

    A pinned `version` gives way to the one that the Task Parameters name.
    Nested orchestrations have no time limit unless one is given. Raises UserError naming task and field.
    """
    request: dict[str, Any] = {name: task[name] for name in _OWN if name in task}
    if version is not None:
        request["version"] = version
    if task["component"] == ORCHESTRATOR:
        request.setdefault("timeout_seconds", None)
    merged = deep_merge(request, task.get("parameters") or {})
    if parameters:
        merged = deep_merge(merged, {"parameters": parameters})
    try:
        if "timeout" in merged:
            merged["timeout_seconds"] = parse_duration(merged.pop("timeout"), field="timeout")
        return JobRequest.model_validate(merged)
    except ValidationError as error:
        raise UserError(explain(error), field=f"tasks.{task['id']}.parameters") from error
    except UserError as error:
        raise UserError(str(error), field=f"tasks.{task['id']}.parameters") from error
