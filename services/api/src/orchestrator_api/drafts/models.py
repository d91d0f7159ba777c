"""Drafts of an orchestration's tasks, as they are sent and shown."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from orchestrator_api.drafts.examples import BOARD
from orchestrator_api.http.models import Editable, Input, Note, Output, example, one_of
from orchestrator_api.orchestrations.models import TaskOut
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.domain.statuses import ComponentType


class ResolveIn(Input):
    """What to go on with after someone saved a newer version."""

    keep: Literal["mine", "theirs"] = Field(
        description="`mine`: this draft is saved on top of theirs; `theirs`: the tasks of that version, as a "
        "step that undo takes back."
    )
    version: int = Field(ge=1, le=2**31 - 1, description="The newest version, which you have seen.")


_STEPS = {"operations": "array", "undo": "boolean", "redo": "boolean", "keep": "string", "resolve": "object"}
"""The fields of a step, and their types."""


class StepIn(Input):
    """One step of a draft: exactly one of these fields."""

    model_config = example(
        {"operations": [{"operation": "move_tasks", "tasks": ["csv-extractor/returns"], "to": "Load"}]},
        one_of(*({name: kind} for name, kind in _STEPS.items())),
    )

    operations: list[Operation] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Applied one after another; undo takes all of them back.",
    )
    undo: Literal[True] | None = None
    redo: Literal[True] | None = None
    keep: str | None = Field(
        default=None, min_length=1, max_length=100, description="The id of a warning that is to be kept."
    )
    resolve: ResolveIn | None = None

    @model_validator(mode="after")
    def _is_one_step(self) -> Self:
        if sum(getattr(self, name) is not None for name in _STEPS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_STEPS)}")
        return self


class DraftPreviewIn(Input):
    """Operations that are only tried."""

    model_config = example({"operations": [{"operation": "group_by_type"}]})

    operations: list[Operation] = Field(min_length=1, max_length=100)


class DraftSaveIn(Input):
    """What to say about the new version."""

    model_config = example({"note": "The returns are loaded first."})

    note: Note = ""


class BoardTaskOut(TaskOut):
    """A task on its card."""

    type: ComponentType
    usual_seconds: float | None = Field(
        description="The mean of its last 20 successes; null if there are fewer than 5."
    )
    configuration_name: str | None = Field(
        default=None,
        description="The name of the configuration that it runs; null if there is none. A task whose `name` "
        "is its id is called by it.",
    )
    was_in: str | None = Field(description="The name of the phase that it was in, if it moved.")


class BoardPhaseOut(Output):
    """A phase; one without tasks is not saved."""

    name: str
    usual_seconds: float | None = Field(
        description="That of its longest active task; null if one is not known."
    )
    tasks: list[BoardTaskOut]


class ChangeOut(Output):
    """One change, in words."""

    kind: Literal["moved", "added", "removed", "changed", "phase"]
    text: str
    task: str | None = Field(description="The id of the task.")
    phase: int | None = Field(description="The index of the phase.")
    was_in: str | None = Field(description="The name of the phase that a moved task was in.")


class RemedyOut(Output):
    """What helps: send the operations as they are."""

    label: str
    operations: list[dict[str, Any]]


class CheckOut(Output):
    """One thing to judge, and the card that it is about."""

    id: str = Field(description="Stays the same as long as the same is found; to keep a warning, send it.")
    level: Literal["error", "warning"] = Field(description="A save refuses a draft with errors.")
    kind: str
    text: str
    task: str | None = Field(description="The id of the task.")
    phase: int | None = Field(description="The index of the phase; null if it is about the whole.")
    remedy: RemedyOut | None
    kept: bool


class ConflictOut(Output):
    """A newer version than the one that the draft began with."""

    version: int
    author: str
    saved_at: datetime
    note: str
    changes: list[ChangeOut] = Field(description="What it changed since then.")


class BoardOut(Editable):
    """A draft; the saved tasks as long as there is none, which the first step begins."""

    model_config = example(BOARD)

    orchestration: str
    name: str
    is_open: bool = Field(description="Whether there is a draft.")
    base_version: int = Field(description="The version that it began with.")
    version: int = Field(description="The newest saved version.")
    phases: list[BoardPhaseOut]
    usual_seconds: float | None = Field(
        description="How long a run of these tasks usually takes; null if one of them is not known."
    )
    changes: list[ChangeOut] = Field(description="What differs from `base_version`.")
    checks: list[CheckOut]
    errors: int
    warnings: int = Field(description="Without those that are kept.")
    undo: str | None = Field(description="What undo would take back; null if there is nothing.")
    redo: str | None
    conflict: ConflictOut | None
    opened_at: datetime | None
    updated_at: datetime | None
