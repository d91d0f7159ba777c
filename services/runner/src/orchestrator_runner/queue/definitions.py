"""Loads documents, parameters and variables for claimed jobs; versions never change, so they are cached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from orchestrator_runner.queue.lanes import LaneKey, lane_columns
from orchestrator_runner.queue.task_users import ProjectUsers
from orchestrator_runner.runs.bounded_cache import BoundedCache
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_runner.runs.parameters import may_use_variables
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import UserError

REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one job needs to run, secrets still encrypted."""

    definition: dict[str, Any]
    """The component's document."""
    parameters: dict[str, Any] | None
    """None if the configuration or version does not exist."""
    state: dict[str, Any] | None
    variables: dict[str, tuple[str, bool]]
    """Maps each name to its value and whether it is secret (and therefore encrypted)."""
    user: int | UserError | None = None
    """The user a program runs as, or the error if the range has no user left for this project."""


@dataclass(frozen=True, slots=True)
class _Component:
    id: str
    updated_at: datetime
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Parameters:
    project: str
    component: str
    configuration: str
    version: int
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _State:
    project: str
    component: str
    configuration: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Variable:
    project: str
    name: str
    value: str
    secret: bool


class DefinitionStore(Store):
    """Documents, parameters, states and variables, each for many jobs at once."""

    queries = Queries.load(__package__, "definitions.sql")

    async def components(self, *, ids: Iterable[str]) -> list[_Component]:
        """The documents of these components."""
        return await self._many(_Component, "component_definitions", ids=list(ids))

    async def parameters(self, *, wanted: Iterable[tuple[str, str, str, int]]) -> list[_Parameters]:
        """The parameters of these versions of configurations."""
        *keys, versions = zip(*wanted, strict=True)
        columns = lane_columns(zip(*keys, strict=True))
        return await self._many(_Parameters, "stored_parameters", **columns, versions=list(versions))

    async def states(self, *, configurations: Iterable[LaneKey]) -> list[_State]:
        """The states of these configurations."""
        return await self._many(_State, "states", **lane_columns(configurations))

    async def variables(self, *, projects: Iterable[str]) -> list[_Variable]:
        """The variables of these projects."""
        return await self._many(_Variable, "variables", projects=list(projects))


class Definitions:
    """Loads definitions for a batch of jobs, with one query per kind of thing that is not cached."""

    def __init__(self, pool: asyncpg.Pool, users: ProjectUsers | None = None) -> None:
        self._pool = pool
        self._users = users
        self._components: BoundedCache[tuple[str, Any], dict[str, Any]] = BoundedCache(REMEMBERED)
        self._parameters: BoundedCache[tuple[str, str, str, int], dict[str, Any]] = BoundedCache(REMEMBERED)

    async def load(self, jobs: Sequence[ClaimedJob]) -> list[Loaded]:
        """Return one entry per job, in order; runs no query if everything is cached."""
        await self._load_components(jobs)
        await self._load_parameters(jobs)
        states = await self._states([job for job in jobs if job.has_state])
        found = [self._parameters.get(_version(job)) for job in jobs]
        templates = {
            job.project
            for job, stored in zip(jobs, found, strict=True)
            if may_use_variables(stored) or may_use_variables(job.parameters)
        }
        variables = await self._variables(templates)
        if self._users is not None:
            await self._users.load({job.project for job in jobs})
        return [
            Loaded(
                definition=self._components.get((job.component, job.component_saved_at)) or {},
                parameters=stored,
                state=states.get(_configuration(job)),
                variables=variables.get(job.project, {}),
                user=self._user(job),
            )
            for job, stored in zip(jobs, found, strict=True)
        ]

    def _user(self, job: ClaimedJob) -> int | UserError | None:
        try:
            return None if self._users is None else self._users.of(job.project)
        except UserError as error:
            return error

    async def _load_components(self, jobs: Iterable[ClaimedJob]) -> None:
        missing = {
            job.component
            for job in jobs
            if job.executor is not None and (job.component, job.component_saved_at) not in self._components
        }
        if not missing:
            return
        async with acquire(self._pool) as connection:
            rows = await DefinitionStore(connection).components(ids=missing)
        for row in rows:
            self._components[row.id, row.updated_at] = row.definition
            # The document was saved again since the claim; the newer one is just as good.
            for job in jobs:
                if job.component == row.id:
                    self._components[row.id, job.component_saved_at] = row.definition

    async def _load_parameters(self, jobs: Iterable[ClaimedJob]) -> None:
        missing = {_version(job) for job in jobs if job.version and _version(job) not in self._parameters}
        if not missing:
            return
        async with acquire(self._pool) as connection:
            rows = await DefinitionStore(connection).parameters(wanted=missing)
        for row in rows:
            self._parameters[row.project, row.component, row.configuration, row.version] = row.parameters

    async def _states(self, jobs: Sequence[ClaimedJob]) -> dict[tuple[str, str, str], dict[str, Any]]:
        if not jobs:
            return {}
        async with acquire(self._pool) as connection:
            rows = await DefinitionStore(connection).states(configurations=map(_configuration, jobs))
        return {(row.project, row.component, row.configuration): row.state for row in rows}

    async def _variables(self, projects: set[str]) -> dict[str, dict[str, tuple[str, bool]]]:
        variables: dict[str, dict[str, tuple[str, bool]]] = {}
        if projects:
            async with acquire(self._pool) as connection:
                rows = await DefinitionStore(connection).variables(projects=projects)
            for row in rows:
                variables.setdefault(row.project, {})[row.name] = (row.value, row.secret)
        return variables


def _configuration(job: ClaimedJob) -> tuple[str, str, str]:
    return (job.project, job.component, job.configuration)


def _version(job: ClaimedJob) -> tuple[str, str, str, int]:
    return (*_configuration(job), job.version or 0)
