"""Loads what claimed jobs run with; versions never change, so they are cached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from orchestrator_runner.queue.task_users import ProjectUsers
from orchestrator_runner.runs.bounded_cache import BoundedCache
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_runner.runs.parameters import may_use_variables
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import UserError

REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one job runs with, secrets still encrypted."""

    definition: dict[str, Any]
    """The component's document."""
    parameters: dict[str, Any] | None
    """None if the configuration or version does not exist."""
    state: dict[str, Any] | None
    variables: dict[str, tuple[str, bool]]
    """Maps each name to its value and whether it is secret (and therefore encrypted)."""
    user: int | UserError | None = None
    """The user a program runs as, or the error if the range has no user left for this project."""


class Definitions:
    """Loads definitions for a batch of jobs, with one query per kind of thing that is not cached."""

    def __init__(self, pool: asyncpg.Pool, users: ProjectUsers | None = None) -> None:
        self._pool = pool
        self._users = users
        self._queries = Queries.load("orchestrator_runner.queue", "definitions.sql")
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
        for row in await self._fetch("component_definitions", list(missing)):
            self._components[row["id"], row["updated_at"]] = row["definition"]
            # The document was saved again since the claim; the newer one is just as good.
            for job in jobs:
                if job.component == row["id"]:
                    self._components[row["id"], job.component_saved_at] = row["definition"]

    async def _load_parameters(self, jobs: Iterable[ClaimedJob]) -> None:
        missing = {_version(job) for job in jobs if job.version and _version(job) not in self._parameters}
        if not missing:
            return
        columns = [list(column) for column in zip(*missing, strict=True)]
        for row in await self._fetch("stored_parameters", *columns):
            key = (row["project"], row["component"], row["configuration"], row["version"])
            self._parameters[key] = row["parameters"]

    async def _states(self, jobs: Sequence[ClaimedJob]) -> dict[tuple[str, str, str], dict[str, Any]]:
        if not jobs:
            return {}
        columns = [list(column) for column in zip(*map(_configuration, jobs), strict=True)]
        rows = await self._fetch("states", *columns)
        return {(row["project"], row["component"], row["configuration"]): row["state"] for row in rows}

    async def _variables(self, projects: set[str]) -> dict[str, dict[str, tuple[str, bool]]]:
        variables: dict[str, dict[str, tuple[str, bool]]] = {}
        if projects:
            for row in await self._fetch("variables", list(projects)):
                variables.setdefault(row["project"], {})[row["name"]] = (row["value"], row["secret"])
        return variables

    async def _fetch(self, name: str, *values: object) -> list[asyncpg.Record]:
        async with acquire(self._pool) as connection:
            return await connection.fetch(self._queries[name], *values)


def _configuration(job: ClaimedJob) -> tuple[str, str, str]:
    return (job.project, job.component, job.configuration)


def _version(job: ClaimedJob) -> tuple[str, str, str, int]:
    return (*_configuration(job), job.version or 0)
