"""Components and configurations."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import Field, ValidationInfo, field_validator, model_validator

from orchestrator_api.http.models import (
    Description,
    Editable,
    Input,
    JsonObject,
    Name,
    Note,
    Output,
    Slug,
    example,
)
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.definitions.models import ParameterName

Sort = Annotated[
    Literal["id", "-id", "name", "-name", "updated_at", "-updated_at"],
    Query(
        description="The order; `-` reverses it. Names are compared without regard to upper and lower case; "
        "`updated_at` is when the current version was saved."
    ),
]


class ConfigurationIn(Input):
    """A configuration to save. A mask (`***`, in lists with a handle) keeps the stored secret."""

    model_config = example(
        {
            "name": "Orders of the shop",
            "parameters": {"path": "{{ vars.shop_exports }}/orders.csv", "table": "in.c-sales.orders"},
            "note": "Read the nightly export.",
        }
    )

    name: Name | None = None
    description: Description = ""
    parameters: JsonObject = Field(default_factory=dict)
    note: Note = ""


class ConfigurationOut(Editable):
    """A configuration in its current version; secrets are masked."""

    component: str
    id: str
    name: str
    description: str
    version: int
    parameters: dict[str, Any]
    note: str
    author: str
    created_at: datetime
    updated_at: datetime


class ConfigurationSaved(ConfigurationOut):
    """The stored configuration, and whether this request changed anything."""

    changed: bool


class VersionOut(Output):
    """One version of a configuration."""

    version: int
    parameters: dict[str, Any]
    note: str
    author: str
    created_at: datetime


ComponentTypeName = Literal["extractor", "transformation", "application", "writer"]
OfType = Annotated[
    ComponentTypeName | None, Query(alias="type", description="Only those of components of this type.")
]


_PROCESS: dict[str, Any] = {
    "properties": {
        "executor": {"const": "process"},
        "command": {"minItems": 1, "prefixItems": [{"minLength": 1}]},
        "http": {"type": "null"},
        "docker": {"type": "null"},
        "kubernetes": {"type": "null"},
    },
    "required": ["command"],
}
_HTTP: dict[str, Any] = {
    "properties": {
        "executor": {"const": "http"},
        "http": {"type": "object"},
        "docker": {"type": "null"},
        "kubernetes": {"type": "null"},
    },
    "required": ["executor", "http"],
}
_DOCKER: dict[str, Any] = {
    "properties": {
        "executor": {"const": "docker"},
        "docker": {"type": "object"},
        "http": {"type": "null"},
        "kubernetes": {"type": "null"},
        "command": {"maxItems": 0},
        "environment": {"maxProperties": 0},
    },
    "required": ["executor", "docker"],
}
_KUBERNETES: dict[str, Any] = {
    "properties": {
        "executor": {"const": "kubernetes"},
        "kubernetes": {"type": "object"},
        "docker": {"type": "null"},
        "http": {"type": "null"},
        "command": {"maxItems": 0},
        "environment": {"maxProperties": 0},
    },
    "required": ["executor", "kubernetes"],
}


class ComponentIn(Input):
    """A component document (YAML, sent as JSON)."""

    model_config = example(
        {
            "component": "csv-extractor",
            "name": "CSV extractor",
            "type": "extractor",
            "command": ["{python}", "-m", "csv_extractor"],
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "table": {"type": "string"}},
                "required": ["path", "table"],
            },
            "writes": ["table"],
        },
        {"oneOf": [_PROCESS, _HTTP, _DOCKER, _KUBERNETES]},
    )

    component: Slug | None = Field(
        default=None, description="The component's id; if given, it must match the path."
    )
    name: Name | None = None
    type: ComponentTypeName
    executor: Literal["process", "http", "docker", "kubernetes"] = "process"
    command: list[str] = Field(
        default_factory=list,
        validate_default=True,
        max_length=200,
        description='For the executor process: its argv, such as ["{python}", "-m", "my_component"].',
    )
    http: HttpComponent | None = Field(
        default=None,
        exclude_if=lambda section: section is None,
        description="For the executor http: the requests to send.",
    )
    docker: DockerComponent | None = Field(
        default=None,
        exclude_if=lambda section: section is None,
        description="For the executor docker: the image to run, its environment and limits.",
    )
    kubernetes: KubernetesComponent | None = Field(
        default=None,
        exclude_if=lambda section: section is None,
        description="For the executor kubernetes: the image that its Jobs run, and what they get.",
    )
    environment: dict[str, str | None] = Field(
        default_factory=dict,
        description="Environment variables of the program; null passes on the value that the runner has.",
    )
    after_crash: Literal["rerun", "fail"] = "fail"
    parameters: JsonObject = Field(default_factory=dict, description="JSON Schema of the parameters.")
    reads: list[ParameterName] = Field(
        default_factory=list,
        max_length=50,
        exclude_if=lambda names: not names,
        description="Parameters that name the tables it reads; a dotted name reaches into objects.",
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
            raise ValueError('a process needs a command: a list such as ["{python}", "program.py"]')
        return command

    @model_validator(mode="after")
    def _fits_its_executor(self) -> Self:
        sections = (("http", self.http), ("docker", self.docker), ("kubernetes", self.kubernetes))
        for executor, section in sections:
            if (self.executor == executor) != (section is not None):
                raise ValueError(
                    f"executor {executor} and the section {executor} belong together: give both or neither"
                )
        if self.kubernetes is not None and (self.command or self.environment):
            raise ValueError("command and environment of a Job belong into the section kubernetes")
        if self.docker is not None and (self.command or self.environment):
            raise ValueError("command and environment of a container belong into the section docker")
        return self


class ComponentOut(Editable):
    """A registered component."""

    id: str
    name: str
    type: str
    executor: str
    after_crash: str
    definition: dict[str, Any]
    updated_at: datetime
