"""The tables that hold encrypted values, and what a value of the first form is for, where it does not say."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.secret_places import (
    SecretPlace,
    of_parameters,
    of_run_elsewhere,
    of_state,
    of_variable,
)

Renew = Callable[[Any, SecretPlace], Mapping[str, str]]
"""Encrypts anew whatever is encrypted in a JSON value; returns the new text of each."""
Tasks = Callable[[str, str, int | None], Awaitable[Mapping[str, Any]]]
"""The tasks of an orchestration by their id."""


@dataclass(frozen=True, slots=True)
class OutdatedRow:
    """A row with values to encrypt anew, as JSON texts."""

    key: tuple[str, ...]
    project: str
    component: str | None
    configuration: str
    version: int | None
    value: str
    written: str | None

    @property
    def target(self) -> "Target":
        """Whose the row is."""
        return Target(self.project, self.component or "", self.configuration, self.version)


@dataclass(frozen=True, slots=True)
class Target:
    """A configuration that gets parameters."""

    project: str
    component: str
    configuration: str
    version: int | None

    @property
    def place(self) -> SecretPlace:
        """What its secrets are for."""
        return of_parameters(self.project, self.component, self.configuration)

    def task(self, task: Mapping[str, Any]) -> "Target":
        """What a task of this orchestration runs."""
        version = (task.get("parameters") or {}).get("version")
        pinned = version if isinstance(version, int) else None
        return Target(self.project, task["component"], task["configuration"], pinned)


@dataclass(frozen=True, slots=True)
class Walk:
    """Finds for whom each part of a JSON value is."""

    renew: Renew
    tasks: Tasks

    async def definition(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """A version of a configuration; of an orchestration, its tasks' parameters."""
        if row.component != ORCHESTRATOR:
            return dict(self.renew(value, row.target.place))
        found: dict[str, str] = {}
        for phase in value.get("phases", []):
            for task in phase.get("tasks", []):
                found |= await self._request(row.target.task(task), task.get("parameters") or {})
        return {**self.renew(value, row.target.place), **found}

    async def request(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """What a task asks for."""
        return await self._request(row.target, value)

    async def parameters(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """The parameters of one run or job."""
        return await self._parameters(row.target, value)

    async def state(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """What a component keeps."""
        return dict(self.renew(value, of_state(row.project, row.component or "", row.configuration)))

    async def handle(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """How to find a run elsewhere."""
        return dict(self.renew(value, of_run_elsewhere(row.project, row.component or "", row.configuration)))

    async def variable(self, row: OutdatedRow, value: Any) -> dict[str, str]:
        """A variable, whose name is in place of the configuration's."""
        return dict(self.renew({"#": value}, of_variable(row.project, row.configuration)))

    async def _request(self, target: Target, value: Mapping[str, Any]) -> dict[str, str]:
        below = await self._parameters(target, value.get("parameters") or {})
        return {**self.renew(value, target.place), **below}

    async def _parameters(self, target: Target, value: Any) -> dict[str, str]:
        """Parameters of an orchestration are by task; those of a task are for what it runs."""
        if not isinstance(value, Mapping):
            return {}
        found = dict(self.renew(value, target.place))
        if target.component == ORCHESTRATOR and found:
            tasks = await self.tasks(target.project, target.configuration, target.version)
            for name in value.keys() & tasks.keys():
                found |= await self._parameters(target.task(tasks[name]), value[name])
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """A table, the queries of its name, the key before its first row, and what its values are for."""

    schema: str
    name: str
    before_first: tuple[str, ...]
    places: Callable[[Walk, OutdatedRow, Any], Awaitable[dict[str, str]]]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


_NO_ID = str(UUID(int=0))
TABLES = (
    Table("catalog", "configuration_versions", ("", "", "", "0"), Walk.definition),
    Table("catalog", "draft_states", ("", "", _NO_ID, "0"), Walk.definition),
    Table("catalog", "variables", ("", ""), Walk.variable),
    Table("catalog", "run_requests", (_NO_ID,), Walk.parameters),
    Table("jobs", "jobs", (_NO_ID,), Walk.parameters),
    Table("jobs", "tasks", (_NO_ID, ""), Walk.request),
    Table("jobs", "attempts", (_NO_ID, "0"), Walk.handle),
    Table("jobs", "configuration_states", ("", "", ""), Walk.state),
)


def tasks_of(definition: str | None) -> dict[str, Any]:
    """The tasks of a stored orchestration by their id."""
    phases = json.loads(definition).get("phases", []) if definition else []
    return {task["id"]: task for phase in phases for task in phase.get("tasks", [])}
