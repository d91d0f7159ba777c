"""Rows of components and of configurations with their versions."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.http.conditional import entity_tag
from orchestrator_shared.database.rows import JsonObject, columns_of


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration in its current version; an orchestration's phases are among its parameters."""

    component: str
    id: str
    name: str
    description: str
    labels: tuple[str, ...]
    enabled: bool
    version: int
    note: str
    author: str
    parameters: JsonObject
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    purged_at: datetime | None

    @property
    def is_purged(self) -> bool:
        """Gone for good: its id is free, and its only version is an empty one."""
        return self.deleted_at is not None and self.purged_at is not None

    @property
    def etag(self) -> str:
        described = "\0".join((self.description, *self.labels))
        return ConfigurationState(
            component=self.component,
            id=self.id,
            name=self.name,
            description_digest=hashlib.sha256(described.encode()).hexdigest(),
            enabled=self.enabled,
            version=self.version,
            created_at=self.created_at,
        ).etag


@dataclass(frozen=True, slots=True)
class ConfigurationFilter:
    """Which configurations to list; without a component all except orchestrations."""

    component: str | None = None
    search: str | None = None
    """Part of the component, id, name, description or a label."""
    enabled: bool | None = None
    labels: tuple[str, ...] | None = None
    """All of these."""
    starts: str | None = None
    """Of orchestrations: by `time`, by `tables`, or only `manual`."""
    statuses: tuple[str, ...] | None = None
    """Of orchestrations: that of the last run is one of these; `none` without a run."""
    type: str | None = None
    """Of components: those of this type."""


@dataclass(frozen=True, slots=True)
class OrchestrationCounts:
    """How many orchestrations each filter shows."""

    total: int
    failed: int
    running: int
    waiting: int
    never_run: int
    disabled: int
    by_time: int
    by_tables: int
    manual: int


@dataclass(frozen=True, slots=True)
class LabelInUse:
    """A label, and how many orchestrations have it."""

    label: str
    orchestrations: int


@dataclass(frozen=True, slots=True)
class ListedKey:
    """Which configuration a list shows next."""

    component: str
    id: str
    name: str
    updated_at: datetime
    size: int
    """Of its parameters, in bytes."""


@dataclass(frozen=True, slots=True)
class ListedStart(ListedKey):
    """Which orchestration a list shows next, and when it fires; far in the future if nobody knows."""

    next_fire: datetime


@dataclass(frozen=True, slots=True)
class SavedConfiguration(Configuration):
    """A configuration after a request to save it."""

    changed: bool


@dataclass(frozen=True, slots=True)
class SavedPart:
    """The result of saving a schedule or trigger."""

    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Trashed:
    """A configuration in the trash, and what will start it again once it is restored."""

    component: str
    id: str
    name: str
    description: str
    version: int
    deleted_at: datetime
    deleted_by: str | None
    key: str
    schedules: int
    triggers: int


@dataclass(frozen=True, slots=True)
class ConfigurationVersion:
    """One version of a configuration."""

    version: int
    parameters: JsonObject
    note: str
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WrittenVersion:
    """One version of a configuration. Its parameters are not parsed yet: large ones are in a thread."""

    version: int
    text: str
    """The parameters, as JSON."""
    note: str
    author: str
    created_at: datetime

    def parsed(self) -> ConfigurationVersion:
        """With its parameters; slow if they are large."""
        return ConfigurationVersion(
            self.version, json.loads(self.text), self.note, self.author, self.created_at
        )


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """What changes whenever people change a configuration."""

    component: str
    id: str
    name: str
    description_digest: str
    """Of the description and the labels, if any: descriptions may be long, and a project has many."""
    enabled: bool
    version: int
    created_at: datetime

    @property
    def etag(self) -> str:
        return entity_tag(columns_of(self))


@dataclass(frozen=True, slots=True)
class CurrentVersion:
    """The current version of a configuration: when it was saved, by whom and why."""

    component: str
    id: str
    version: int
    saved_at: datetime
    author: str
    note: str
    name: str = ""
    """Of the configuration."""


@dataclass(frozen=True, slots=True)
class OverrideTarget:
    """What the parameters of a run or a task are merged over."""

    component: str
    id: str
    requested_version: int | None
    """The requested version; None for the current one."""
    parameters: JsonObject
    schema: JsonObject | None
    """The schema of the component's parameters."""


@dataclass(frozen=True, slots=True)
class Nesting:
    """An orchestration that runs another one."""

    parent: str
    child: str


@dataclass(frozen=True, slots=True)
class Usage:
    """A task that runs a configuration."""

    orchestration: str
    orchestration_name: str
    orchestration_enabled: bool
    phase: str
    task: str
    task_enabled: bool
    version: int | None
    """The version that it pins."""


@dataclass(frozen=True, slots=True)
class UsageCount:
    """How many orchestrations run a configuration."""

    component: str
    id: str
    orchestrations: int


@dataclass(frozen=True, slots=True)
class ComponentUse:
    """A component that the project has configurations of."""

    id: str
    name: str
    type: str
    configurations: int


@dataclass(frozen=True, slots=True)
class VariableUser:
    """A configuration or task that may use a variable."""

    component: str
    configuration: str
    orchestration: str | None
    """Of a task."""
    task: str | None
    version: int
    """Of the configuration, or of the task's orchestration."""
    parameters: JsonObject
    users: int
    """How many there are, including those that were too large to read."""


@dataclass(frozen=True, slots=True)
class Component:
    """A registered component, with its document as written."""

    id: str
    name: str
    type: str
    executor: str
    after_crash: str
    definition: JsonObject
    updated_at: datetime

    @property
    def etag(self) -> str:
        return entity_tag(self.id, self.updated_at)
