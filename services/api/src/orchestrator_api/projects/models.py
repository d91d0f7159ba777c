"""Projects and their variables."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from orchestrator_api.http.models import MAX_INT, Input, Name, Output
from orchestrator_shared.domain.ids import PROJECT
from orchestrator_shared.domain.limits import MAX_VARIABLE_CHARACTERS


def _is_project(name: str) -> str:
    if re.fullmatch(PROJECT, name) is None:
        raise ValueError(
            "use lower-case letters, digits, dashes and underscores, 64 at most, with a letter or digit at "
            "both ends. Dots are not allowed: they separate the parts of routing keys"
        )
    return name


def _without_default(schema: dict[str, Any]) -> None:
    """For the API description: the field may be left out, but may not be null."""
    schema.pop("default", None)


class ProjectIn(Input):
    """A new project."""

    id: Annotated[
        str,
        AfterValidator(_is_project),
        Field(
            description="Lower-case letters, digits, dash, underscore; no dots.",
            json_schema_extra={"pattern": PROJECT},
        ),
    ]
    name: Name | None = None
    parallel_limit: int | None = Field(default=None, gt=0, le=MAX_INT)


class ProjectPatch(Input):
    """What of a project shall change; what is left out stays."""

    name: Name | SkipJsonSchema[None] = Field(default=None, json_schema_extra=_without_default)
    parallel_limit: int | None = Field(
        default=None, gt=0, le=MAX_INT, description="Most component jobs at once; null: no limit."
    )

    @field_validator("name", mode="before")
    @classmethod
    def _is_name(cls, name: object) -> object:
        if name is None:
            raise ValueError("a project has a name: leave it out to keep it")
        return name


class ProjectOut(Output):
    """A project: the tenant that owns everything else."""

    id: str
    name: str
    parallel_limit: int | None = Field(description="Most component jobs at once; null: no limit.")
    created_at: datetime


class VariableIn(Input):
    """A project variable, used in parameters as `{{ vars.name }}`."""

    value: str = Field(max_length=MAX_VARIABLE_CHARACTERS)
    secret: bool = False


class VariableOut(Output):
    """A project variable; a secret's value is never shown."""

    name: str
    value: str
    secret: bool
    updated_at: datetime
