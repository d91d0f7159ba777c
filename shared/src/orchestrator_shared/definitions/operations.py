"""The operations on the tasks of an orchestration, as they are sent; arranging.py carries them out."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, field_validator, model_validator

from orchestrator_shared.definitions.bounded import Bounded
from orchestrator_shared.definitions.orchestration import (
    MAX_ATTEMPTS,
    MAX_DELAY_SECONDS,
    RetryOn,
    ShortText,
    Slug,
)
from orchestrator_shared.domain.limits import MAX_PARAMETERS_DEPTH, is_deeper

MAX_TASKS = 10_000
TaskId = Annotated[str, Field(max_length=130)]
TaskIds = Annotated[list[TaskId], Field(min_length=1, max_length=MAX_TASKS)]
PhaseRef = Annotated[int, Field(ge=0, le=10_000)] | ShortText
"""A phase by its name, or by its index (from 0) where several have one name."""


class _Operation(Bounded):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _places(*, or_none: bool) -> dict[str, Any]:
    """For the description: before or after, or (where that is possible) neither, and never both."""
    given, null = {"type": ["integer", "string"]}, {"type": "null"}
    choices: list[dict[str, Any]] = [
        {"properties": {"before": given, "after": null}, "required": ["before"]},
        {"properties": {"before": null, "after": given}, "required": ["after"]},
    ]
    if or_none:
        choices.append({"properties": {"before": null, "after": null}})
    return {"oneOf": choices}


class GroupByType(_Operation):
    """One phase per type of component."""

    operation: Literal["group_by_type"]


class OneTaskPerPhase(_Operation):
    """One after another, in the present order."""

    operation: Literal["one_task_per_phase"]


class _IntoPhase(_Operation):
    """What puts tasks into a phase; a missing one is created at the end, or before or after another."""

    to: PhaseRef | None = Field(
        default=None,
        description="Left out: a new phase, named after its task; several are called after their type "
        "(Writers), those of several types New phase.",
    )
    before: PhaseRef | None = None
    after: PhaseRef | None = None
    at: int | None = Field(
        default=None,
        ge=0,
        le=MAX_TASKS,
        description="The place among the other tasks of the phase, from 0; at the end unless given.",
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.before is not None and self.after is not None:
            raise ValueError("give before or after, not both")
        return self


class MoveTasks(_IntoPhase):
    """Move tasks into a phase; a missing one is created at the end, or before or after another."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=True))

    operation: Literal["move_tasks"]
    tasks: TaskIds


class NewTask(_Operation):
    """A configuration to run as a task, with the defaults of every task."""

    component: Slug
    configuration: Slug
    name: ShortText | None = Field(default=None, description="Defaults to component/configuration.")


class AddTasks(_IntoPhase):
    """Add tasks to a phase; a missing one is created at the end, or before or after another."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=True))

    operation: Literal["add_tasks"]
    tasks: list[NewTask] = Field(min_length=1, max_length=1_000)


class RemoveTasks(_Operation):
    """Remove tasks; a phase that becomes empty goes with them."""

    operation: Literal["remove_tasks"]
    tasks: TaskIds


class DuplicateTask(_Operation):
    """Put a copy of a task right after it, under an id of its own."""

    operation: Literal["duplicate_task"]
    task: TaskId


class TaskValues(_Operation):
    """What to set; what is left out stays as it is."""

    name: ShortText | None = None
    enabled: bool | None = None
    continue_on_failure: bool | None = None
    timeout_seconds: int | None = Field(
        default=None, ge=1, le=31_622_400, description="null: 24 hours. Not for a nested orchestration."
    )
    attempts: int | None = Field(default=None, ge=1, le=MAX_ATTEMPTS)
    attempt_delay_seconds: int | None = Field(default=None, ge=0, le=MAX_DELAY_SECONDS)
    attempt_backoff: float | None = Field(default=None, ge=1, le=10)
    retry_on: RetryOn | None = None
    parameters: dict[str, Any] | None = Field(default=None, description="All Task Parameters, not only some.")

    @field_validator("parameters")
    @classmethod
    def _is_shallow(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and is_deeper(value, MAX_PARAMETERS_DEPTH):
            raise ValueError(f"nested deeper than {MAX_PARAMETERS_DEPTH} levels")
        return value

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what to set")
        nulls = [name for name in self.model_fields_set - {"timeout_seconds"} if getattr(self, name) is None]
        if nulls:
            raise ValueError(f"{min(nulls)} must not be null: leave it out to keep it")
        return self

    def given(self) -> dict[str, Any]:
        """What was given, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class SetTasks(_Operation):
    """Change settings of tasks."""

    operation: Literal["set_tasks"]
    tasks: TaskIds
    values: TaskValues


class AddPhase(_Operation):
    """Add an empty phase: at the end, or before or after another. Empty phases are not saved."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=True))

    operation: Literal["add_phase"]
    name: ShortText
    before: PhaseRef | None = None
    after: PhaseRef | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.before is not None and self.after is not None:
            raise ValueError("give before or after, not both")
        return self


class RemovePhase(_Operation):
    """Remove a phase with its tasks."""

    operation: Literal["remove_phase"]
    phase: PhaseRef


class RenamePhase(_Operation):
    """Give a phase another name."""

    operation: Literal["rename_phase"]
    phase: PhaseRef
    name: ShortText


class MovePhase(_Operation):
    """Put a phase before or after another."""

    model_config = ConfigDict(json_schema_extra=_places(or_none=False))

    operation: Literal["move_phase"]
    phase: PhaseRef
    before: PhaseRef | None = None
    after: PhaseRef | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.before is None) == (self.after is None):
            raise ValueError("give either before or after")
        return self


class MergePhases(_Operation):
    """Merge several phases at the place of the first, under its name unless another is given."""

    operation: Literal["merge_phases"]
    phases: list[PhaseRef] = Field(min_length=2, max_length=1_000)
    name: ShortText | None = None


Operation = Annotated[
    GroupByType
    | OneTaskPerPhase
    | MoveTasks
    | AddTasks
    | RemoveTasks
    | DuplicateTask
    | SetTasks
    | AddPhase
    | RemovePhase
    | RenamePhase
    | MovePhase
    | MergePhases,
    Field(discriminator="operation"),
]
EditOperation = AddTasks | RemoveTasks | DuplicateTask | SetTasks | AddPhase | RemovePhase
OPERATIONS: tuple[str, ...] = tuple(
    get_args(kind.model_fields["operation"].annotation)[0] for kind in get_args(get_args(Operation)[0])
)
"""Their names."""
