"""Versions, copies and usages of configurations, as they are sent and shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field

from orchestrator_api.catalog.versions import Compared
from orchestrator_api.http.models import MAX_INT, Input, Name, Note, Output, Slug, example

Version = Annotated[int, Path(ge=1, le=MAX_INT, description="The number of a version.")]


class RestoreIn(Input):
    """Why an old version is restored."""

    model_config = example({"note": "The new export lacks a column."})

    note: Note = ""


class CopyIn(Input):
    """The copy to create."""

    model_config = example({"id": "returns", "name": "Returns of the shop"})

    id: Slug
    name: Name | None = Field(
        default=None, description="Defaults to the name of the original followed by `(copy)`."
    )


class VersionRef(Output):
    """A version: who saved it, when and why."""

    version: int
    note: str
    author: str
    created_at: datetime


class DifferenceOut(Output):
    """One difference; secrets are masked."""

    path: str = Field(
        description="A dotted path. Tasks of an orchestration are found by id, as in "
        "`tasks.csv-extractor/orders.attempts`."
    )
    kind: Literal["added", "removed", "changed", "reordered"] = Field(
        description="`reordered`: only the order of an object's keys changed."
    )
    before: Any = None
    after: Any = None
    secret: bool = Field(description="A secret was entered again; secret values are shown as `***`.")


class ComparisonOut(Output):
    """What changed between two versions."""

    before: VersionRef
    after: VersionRef
    changes: list[DifferenceOut] = Field(description="The first thousand changes.")
    truncated: bool = Field(description="Whether there are more changes.")

    @classmethod
    def of(cls, compared: Compared) -> "ComparisonOut":
        """The answer for two versions that were compared."""
        return cls(
            before=VersionRef.model_validate(compared.before),
            after=VersionRef.model_validate(compared.after),
            changes=[DifferenceOut.model_validate(each) for each in compared.differences.changes],
            truncated=compared.differences.truncated,
        )


class UsageOut(Output):
    """A task that runs the configuration."""

    orchestration: str
    orchestration_name: str
    orchestration_enabled: bool
    phase: str
    task: str
    task_enabled: bool
    version: int | None = Field(
        description="The version that the task pins; null if it runs the current one."
    )
