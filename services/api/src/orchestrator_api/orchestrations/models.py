"""Orchestrations, and previews of rearranged tasks."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import (
    Description,
    Editable,
    Input,
    JsonObject,
    Name,
    Note,
    Output,
    Slug,
    TaskId,
    example,
)
from orchestrator_api.notifications.models import SubscriptionOut
from orchestrator_api.orchestrations.examples import CAMPAIGNS
from orchestrator_api.schedules.models import ScheduleOut
from orchestrator_api.triggers.models import TriggerOut
from orchestrator_shared.definitions.models import Labels
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.definitions.orchestration import MAX_ATTEMPTS, MAX_DELAY_SECONDS, RetryOn


class TaskIn(Input):
    """One task: which configuration to run, and how."""

    id: TaskId | None = Field(default=None, description="Defaults to component/configuration.")
    component: Slug
    configuration: Slug
    name: Name | None = None
    enabled: bool = True
    continue_on_failure: bool = False
    timeout_seconds: int | None = Field(
        default=None,
        ge=1,
        le=366 * 86400,
        description="24 hours by default; not allowed for a nested orchestration.",
    )
    attempts: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)
    attempt_delay_seconds: int = Field(default=0, ge=0, le=MAX_DELAY_SECONDS)
    attempt_backoff: float = Field(default=1, ge=1, le=10)
    retry_on: RetryOn = "any"
    parameters: JsonObject = Field(
        default_factory=dict, description="Merged over the job request that the task sends."
    )


class PhaseIn(Input):
    """Tasks that run in parallel; empty phases are dropped."""

    name: Name | None = None
    tasks: list[TaskIn] = Field(default_factory=list, max_length=10_000)


class OrchestrationIn(Input):
    """An orchestration to save; it may have no tasks yet."""

    model_config = example(
        {
            "name": "Campaigns",
            "description": "Everything that the marketing dashboard shows.",
            "labels": ["marketing"],
            "phases": [
                {
                    "name": "Load",
                    "tasks": [
                        {"component": "csv-extractor", "configuration": "orders", "attempts": 3},
                        {
                            "component": "csv-extractor",
                            "configuration": "returns",
                            "enabled": False,
                        },
                    ],
                },
                {
                    "name": "Transform",
                    "tasks": [{"component": "sql-transformation", "configuration": "daily-sales"}],
                },
            ],
            "note": "Leave the returns out for now.",
        }
    )

    name: Name | None = None
    description: Description = ""
    labels: Labels = Field(default_factory=list, description="Kept in alphabetical order.")
    enabled: bool = True
    phases: list[PhaseIn] = Field(default_factory=list, max_length=1_000)
    note: Note = ""


class GroupingIn(Input):
    """How to lay out the tasks."""

    model_config = example({"by": "type"})

    by: Literal["type", "task"] = Field(
        description="`type`: extractors, transformations, applications, writers, orchestrations, in this "
        "order; `task`: one task per phase."
    )
    phases: list[PhaseIn] | None = Field(
        default=None, max_length=1_000, description="Use these phases instead of the saved ones."
    )


class ArrangementIn(Input):
    """Operations on the phases, applied one after another."""

    model_config = example(
        {"operations": [{"operation": "move_tasks", "tasks": ["csv-extractor/returns"], "to": "Load"}]}
    )

    operations: list[Operation] = Field(min_length=1, max_length=100)
    phases: list[PhaseIn] | None = Field(
        default=None, max_length=1_000, description="Use these phases instead of the saved ones."
    )


class TaskOut(Output):
    """One task, with every default written out."""

    id: str
    component: str
    configuration: str
    name: str
    enabled: bool
    continue_on_failure: bool
    timeout_seconds: int | None
    attempts: int
    attempt_delay_seconds: int
    attempt_backoff: float
    retry_on: RetryOn
    parameters: dict[str, Any]


class PhaseOut(Output):
    """Tasks that run in parallel, after those of the previous phase."""

    name: str
    tasks: list[TaskOut]


class ArrangementPreview(Editable):
    """The rearranged phases. To save them, send a PUT with `etag`, that of the saved orchestration."""

    version: int = Field(description="The saved version that this is based on.")
    phases: list[PhaseOut]
    changed: bool = Field(description="Whether it differs from the saved phases.")
    errors: list[str]
    warnings: list[str]


class LastRun(Output):
    """One of the newest runs of an orchestration."""

    id: UUID
    number: int
    status: str
    origin: str
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class OrchestrationOut(Editable):
    """An orchestration in its current version, and what starts it."""

    model_config = example(CAMPAIGNS)

    id: str
    name: str
    description: str
    labels: list[str]
    enabled: bool
    version: int
    phases: list[PhaseOut]
    note: str
    author: str
    created_at: datetime
    updated_at: datetime
    errors: list[str] = Field(description="Problems that keep a run from succeeding.")
    warnings: list[str] = Field(
        description="What is worth a look. Tasks that read a table while another one writes it are reported "
        "only for a single orchestration, not in lists."
    )
    schedules: list[ScheduleOut]
    triggers: list[TriggerOut]
    notifications: list[SubscriptionOut]
    last_run: LastRun | None = None
    recent_runs: list[LastRun] = Field(
        default_factory=list, description="Its newest runs, newest first; in lists, if asked for."
    )
    next_fire: datetime | None = None
    usual_duration_seconds: float | None = Field(
        default=None,
        description="The mean of its last 20 successful, complete runs; null if there are fewer than 5.",
    )


class OrchestrationSaved(OrchestrationOut):
    """The stored orchestration, and whether this request changed anything."""

    model_config = example({**CAMPAIGNS, "changed": True})

    changed: bool


class OrchestrationVersionOut(Output):
    """One version of an orchestration."""

    version: int
    phases: list[PhaseOut]
    note: str
    author: str
    created_at: datetime
