"""What the database has of components, and of configurations with their versions."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator_shared.database.rows import JsonObject


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration in its current version, an orchestration's phases among its parameters."""

    component: str
    id: str
    name: str
    description: str
    enabled: bool
    version: int
    note: str
    author: str
    parameters: JsonObject
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class SavedConfiguration(Configuration):
    """The same after a request to save it."""

    changed: bool


@dataclass(frozen=True, slots=True)
class ConfigurationVersion:
    """One version of a configuration."""

    version: int
    parameters: JsonObject
    note: str
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ConfigurationKey:
    """Which configuration, within a project."""

    component: str
    id: str


@dataclass(frozen=True, slots=True)
class CurrentVersion:
    """Which version of a configuration is the current one, and since when."""

    component: str
    id: str
    version: int
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class OverrideTarget:
    """What parameters of a run or of a task are merged over."""

    component: str
    id: str
    asked: int | None
    """The version that was asked for; None: the current one."""
    parameters: JsonObject
    schema: JsonObject | None
    """Of the component's parameters."""


@dataclass(frozen=True, slots=True)
class Nesting:
    """An orchestration that runs another one."""

    parent: str
    child: str


@dataclass(frozen=True, slots=True)
class VariableUser:
    """A configuration or task that may use a variable."""

    component: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class Component:
    """A registered component; its document as it was written."""

    id: str
    name: str
    type: str
    executor: str
    after_crash: str
    definition: JsonObject
    updated_at: datetime
