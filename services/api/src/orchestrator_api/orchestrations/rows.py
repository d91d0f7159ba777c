"""Rows of what orchestrations run."""

from dataclasses import dataclass

from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.statuses import ComponentType


@dataclass(frozen=True, slots=True)
class ConfigurationName:
    """An existing configuration."""

    component: str
    id: str


@dataclass(frozen=True, slots=True)
class TaskTarget:
    """A configuration that a task runs."""

    component: str
    id: str
    enabled: bool
    version: int
    parameters: JsonObject | None
    tasks: int


@dataclass(frozen=True, slots=True)
class ComponentTables:
    """The parameters of a component that name tables."""

    id: str
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table that a job of the configuration reported."""

    component: str
    configuration: str
    table_name: str


@dataclass(frozen=True, slots=True)
class TypedComponent:
    """A component and its type."""

    id: str
    type: ComponentType


@dataclass(frozen=True, slots=True)
class Named:
    """An orchestration, by id and name."""

    id: str
    name: str
