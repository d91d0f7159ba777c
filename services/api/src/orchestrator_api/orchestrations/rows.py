"""What the database has of that which orchestrations run."""

from dataclasses import dataclass

from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.statuses import ComponentType


@dataclass(frozen=True, slots=True)
class ConfigurationName:
    """A configuration that is there."""

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
    """Which parameters of a component name tables."""

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
class Nesting:
    """An orchestration runs another one."""

    parent: str
    child: str


@dataclass(frozen=True, slots=True)
class TypedComponent:
    """Of which type a component is."""

    id: str
    type: ComponentType
