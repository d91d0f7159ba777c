"""Projects, components, variables, shares and tables."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from orchestrator_api.models.base import MAX_INT, Input, JsonObject, Name, Output, Slug
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.definitions.models import ParameterName
from orchestrator_shared.domain.ids import PROJECT
from orchestrator_shared.domain.limits import MAX_VARIABLE_CHARACTERS
from orchestrator_shared.domain.tables import MAX_LENGTH, TABLE_PATTERN

ComponentTypeName = Literal["extractor", "transformation", "application", "writer"]


def _is_project(name: str) -> str:
    if re.fullmatch(PROJECT, name) is None:
        raise ValueError(
            "use lower-case letters, digits, dashes and underscores, 64 at most, with a letter or digit at "
            "both ends. Dots are not allowed: they separate the parts of routing keys"
        )
    return name


def _without_default(schema: dict[str, Any]) -> None:
    """For the description: it may be left out, and is not null."""
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


_PROCESS: dict[str, Any] = {
    "properties": {
        "executor": {"const": "process"},
        "command": {"minItems": 1, "prefixItems": [{"minLength": 1}]},
        "http": {"type": "null"},
    },
    "required": ["command"],
}
_HTTP: dict[str, Any] = {
    "properties": {"executor": {"const": "http"}, "http": {"type": "object"}},
    "required": ["executor", "http"],
}


class ComponentIn(Input):
    """A component document (YAML, sent as JSON)."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_PROCESS, _HTTP]})

    component: Slug | None = Field(default=None, description="The id, if given the same as in the path.")
    name: Name | None = None
    type: ComponentTypeName
    executor: Literal["process", "http"] = "process"
    command: list[str] = Field(
        default_factory=list,
        validate_default=True,
        max_length=200,
        description='Of a process: its argv, as in ["{python}", "-m", "my_component"].',
    )
    http: HttpComponent | None = Field(
        default=None,
        exclude_if=lambda section: section is None,
        description="Of http: which requests to send.",
    )
    environment: dict[str, str | None] = Field(
        default_factory=dict, description="Variables of the program; null: taken over from the runner."
    )
    after_crash: Literal["rerun", "fail"] = "fail"
    parameters: JsonObject = Field(default_factory=dict, description="JSON Schema of the parameters.")
    reads: list[ParameterName] = Field(
        default_factory=list,
        max_length=50,
        exclude_if=lambda names: not names,
        description="Parameters that name the tables it reads; dots lead into objects.",
    )
    writes: list[ParameterName] = Field(
        default_factory=list,
        max_length=50,
        exclude_if=lambda names: not names,
        description="Parameters that name the tables it writes.",
    )
    description: str = Field(default="", max_length=10_000)

    @field_validator("command")
    @classmethod
    def _is_runnable(cls, command: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("executor") == "process" and not (command and command[0]):
            raise ValueError('a process needs its command as a list, as in ["{python}", "program.py"]')
        return command

    @model_validator(mode="after")
    def _fits_its_executor(self) -> Self:
        if (self.executor == "http") != (self.http is not None):
            raise ValueError("executor http and the section http belong together: give both or neither")
        return self


class ComponentOut(Output):
    """A registered component."""

    id: str
    name: str
    type: str
    executor: str
    after_crash: str
    definition: dict[str, Any]
    updated_at: datetime


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


class ShareOut(Output):
    """A project that may select the bucket's tables in its triggers."""

    shared_with: str
    created_at: datetime


class TableOut(Output):
    """A table that updates were heard of."""

    project: str
    name: str
    updates: int = Field(description="How many updates were heard.")
    last_heard_at: datetime | None


TableText = Annotated[
    str,
    Field(
        examples=["in.c-sales.orders"], json_schema_extra={"pattern": TABLE_PATTERN, "maxLength": MAX_LENGTH}
    ),
]


class TableUpdateIn(Input):
    """A table has new data."""

    table: TableText
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The same id twice for one table is one update.",
    )
    rows: int | None = Field(default=None, ge=0, lt=2**63)


_ONE_UPDATE: dict[str, Any] = {
    "properties": {"table": {"type": "string"}, "updates": {"type": "null"}},
    "required": ["table"],
}
_SEVERAL_UPDATES: dict[str, Any] = {
    "properties": {
        "table": {"type": "null"},
        "id": {"type": "null"},
        "rows": {"type": "null"},
        "updates": {"type": "array"},
    },
    "required": ["updates"],
}


class TableUpdatesIn(Input):
    """One update, or a batch of them under `updates`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_ONE_UPDATE, _SEVERAL_UPDATES]})

    table: TableText | None = None
    id: str | None = Field(default=None, min_length=1, max_length=200)
    rows: int | None = Field(default=None, ge=0, lt=2**63)
    updates: list[TableUpdateIn] | None = Field(default=None, min_length=1, max_length=1000)


class TableUpdatesOut(Output):
    """The updates were accepted and will be published."""

    accepted: int
    ids: list[str]
