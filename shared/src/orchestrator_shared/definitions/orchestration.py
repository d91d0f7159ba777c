"""An orchestration's definition as stored in the versions of its configuration: phases of tasks."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestrator_shared.domain.ids import ORCHESTRATOR, SLUG

DEFAULT_TIMEOUT_SECONDS = 86_400
MAX_ATTEMPTS = 20
MAX_DELAY_SECONDS = 604_800
TASK_ID = r"^[a-z0-9]([a-z0-9._/-]{0,128}[a-z0-9])?$"
"""A task's id: `component/configuration` unless it was given one."""

Slug = Annotated[str, Field(pattern=SLUG)]
RetryOn = Literal["any", "user", "internal"]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class _Stored(BaseModel):
    """Frozen. Unknown keys of a newer release are ignored; an edge that must refuse them validates with
    `model_validate(…, extra="forbid")`."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Task(_Stored):
    """One entry of a phase: which configuration to run, and how."""

    id: str = Field(pattern=TASK_ID)
    name: ShortText
    component: Slug
    configuration: Slug
    enabled: bool = True
    continue_on_failure: bool = False
    timeout_seconds: int | None = Field(default=DEFAULT_TIMEOUT_SECONDS, ge=1, le=31_622_400)
    """24 hours unless set; none for nested orchestrations."""
    attempts: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)
    attempt_delay_seconds: int = Field(default=0, ge=0, le=MAX_DELAY_SECONDS)
    attempt_backoff: float = Field(default=1.0, ge=1, le=10)
    """Each further delay is the one before times this."""
    retry_on: RetryOn = "any"
    """Which kind of error another attempt is worth."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Task Parameters: deep-merged over the job request; unknown keys survive."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        run = f"{data.get('component')}/{data.get('configuration')}"
        data["id"] = data.get("id") or run
        data["name"] = data.get("name") or data["id"]
        if data.get("component") == ORCHESTRATOR:
            data["timeout_seconds"] = None
        elif data.get("timeout_seconds") is None:
            data["timeout_seconds"] = DEFAULT_TIMEOUT_SECONDS
        return data

    @property
    def is_nested(self) -> bool:
        """Whether it runs another orchestration."""
        return self.component == ORCHESTRATOR


class Phase(_Stored):
    """Tasks that run in parallel, after the phase before."""

    name: ShortText
    tasks: tuple[Task, ...] = ()


class OrchestrationDefinition(_Stored):
    """Phases in order. It may be saved without tasks, but not run."""

    description: str | None = Field(default=None, max_length=10_000)
    phases: tuple[Phase, ...] = ()

    @field_validator("phases")
    @classmethod
    def _drop_empty(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return tuple(phase for phase in phases if phase.tasks)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for task in self.tasks():
            if task.id in seen:
                raise ValueError(duplicate_task(task.id))
            seen.add(task.id)
        return self

    def tasks(self) -> list[Task]:
        """Every task, phase by phase."""
        return [task for phase in self.phases for task in phase.tasks]

    def to_json(self) -> dict[str, Any]:
        """The canonical form: the same definition always gives the same."""
        return self.model_dump(mode="json")


class DraftDefinition(OrchestrationDefinition):
    """One that is still being edited: a phase may be empty until tasks are put into it."""

    @field_validator("phases")
    @classmethod
    def _drop_empty(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return phases


def duplicate_task(task_id: str) -> str:
    """The message about a second task with the same id."""
    return f"duplicate task {task_id!r}: give one of them an `id` of its own"
