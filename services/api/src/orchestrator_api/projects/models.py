"""Projects and their variables."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from orchestrator_api.http.models import MAX_INT, Editable, Input, Name, Output, example
from orchestrator_shared.domain.ids import PROJECT
from orchestrator_shared.domain.limits import MAX_VARIABLE_CHARACTERS


def _is_project(name: str) -> str:
    if re.fullmatch(PROJECT, name) is None:
        raise ValueError(
            "use at most 64 lower-case letters, digits, dashes and underscores, with a letter or digit at "
            "both ends. Dots are not allowed: they separate the parts of routing keys"
        )
    return name


def _without_default(schema: dict[str, Any]) -> None:
    """For the API description: the field may be left out, but may not be null."""
    schema.pop("default", None)


class ProjectIn(Input):
    """A new project."""

    model_config = example({"id": "shop", "name": "Shop", "parallel_limit": 10})

    id: Annotated[
        str,
        AfterValidator(_is_project),
        Field(
            description="Lower-case letters, digits, dashes, underscores; no dots.",
            json_schema_extra={"pattern": PROJECT},
        ),
    ]
    name: Name | None = None
    parallel_limit: int | None = Field(default=None, gt=0, le=MAX_INT)


class ProjectPatch(Input):
    """The fields to change; fields that are left out keep their values."""

    model_config = example({"parallel_limit": 20})

    name: Name | SkipJsonSchema[None] = Field(default=None, json_schema_extra=_without_default)
    parallel_limit: int | None = Field(
        default=None,
        gt=0,
        le=MAX_INT,
        description="How many component jobs may run at once; null means no limit.",
    )

    @field_validator("name", mode="before")
    @classmethod
    def _is_name(cls, name: object) -> object:
        if name is None:
            raise ValueError("must not be null; leave it out to keep the current name")
        return name


class ProjectOut(Editable):
    """A project: the tenant that owns everything else."""

    id: str
    name: str
    parallel_limit: int | None = Field(
        description="How many component jobs may run at once; null means no limit."
    )
    created_at: datetime


class VariableIn(Input):
    """A project variable, used in parameters as `{{ vars.name }}`."""

    model_config = example({"value": "https://exports.example.com/shop"})

    value: str = Field(max_length=MAX_VARIABLE_CHARACTERS)
    secret: bool = False


class VariableUsageOut(Output):
    """A configuration that uses a variable, or a task whose parameters use it."""

    component: str
    configuration: str
    orchestration: str | None = Field(
        description="The orchestration whose task uses it; null if the configuration does."
    )
    task: str | None
    version: int = Field(
        description="The version that uses it, of the configuration or of the task's orchestration."
    )


class VariableOut(Editable):
    """A project variable; a secret's value is never shown."""

    name: str
    value: str
    secret: bool
    updated_at: datetime
