"""The catalog of the workloads, written as the api would: components without work, and who runs them."""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from tests.benchmarks.noop_runner import EXECUTOR
from tests.benchmarks.workloads import LONG, PROGRAM, SLEEPERS, SMALL, WIDE, Body, Shape, Workload
from tests.support.databases import Database

from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import ORCHESTRATOR

PROJECT = "benchmark"
RUNS = 50
SLEEP_SECONDS = 3600
COMPONENTS: dict[Body, tuple[str, dict[str, Any]]] = {
    "noop": (EXECUTOR, {"command": []}),
    "spawn": ("process", {"command": [PROGRAM]}),
}
CONFIGURATION = """
INSERT INTO catalog.configurations (project, component, id, name, version) VALUES ($1, $2, $3, $3, 1)
"""
VERSION = """
INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters, author)
VALUES ($1, $2, $3, 1, $4, 'benchmark')
"""


def orchestration(workload: Workload, index: int) -> str:
    """The orchestration that the workload's run of this index runs: each its own, or they would queue up."""
    return f"{workload.shape.name}-{workload.body}-{workload.shape.width}-{index}"


async def fill(database: Database, *, widths: Sequence[int] = (WIDE.width,)) -> None:
    """Two components, as many configurations as the widest workload has tasks, and its orchestrations."""
    async with database.connection() as connection, connection.transaction():
        await prepare_connection(connection)
        await connection.execute("INSERT INTO catalog.projects (id, name) VALUES ($1, $1)", PROJECT)
        # No released component may name this executor; here, one does.
        await connection.execute("ALTER TABLE catalog.components DROP CONSTRAINT components_executor_check")
        for body, (executor, definition) in COMPONENTS.items():
            await connection.execute(
                """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                   VALUES ($1, $1, 'application', $2, 'rerun', $3)""",
                body,
                executor,
                definition,
            )
            await save(connection, body, [(_configuration(number), {}) for number in range(max(widths))])
        await save(
            connection,
            "noop",
            [(_sleeper(number), {"seconds": SLEEP_SECONDS}) for number in range(SLEEPERS.width)],
        )
        await save(connection, ORCHESTRATOR, _orchestrations(widths))
        await connection.execute("ANALYZE")


async def save(
    connection: asyncpg.Connection, component: str, made: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Configurations with one version each."""
    await connection.executemany(CONFIGURATION, [(PROJECT, component, name) for name, _ in made])
    await connection.executemany(VERSION, [(PROJECT, component, name, content) for name, content in made])


def _orchestrations(widths: Sequence[int]) -> list[tuple[str, dict[str, Any]]]:
    made = [
        (orchestration(Workload("", SMALL, RUNS, body), index), definition(SMALL, body, index * SMALL.tasks))
        for body in COMPONENTS
        for index in range(RUNS)
    ]
    made += [
        (orchestration(Workload("", shape, 1), 0), definition(shape, "noop", 0))
        for shape in (LONG, *(Shape(WIDE.name, 1, width) for width in widths))
    ]
    sleepers = orchestration(Workload("", SLEEPERS, 1), 0)
    return [*made, (sleepers, definition(SLEEPERS, "noop", 0, named=_sleeper))]


def definition(
    shape: Shape, body: Body, first: int, named: Callable[[int], str] | None = None
) -> dict[str, Any]:
    """An orchestration of this shape over the configurations from `first` on."""
    name = named or _configuration
    return {
        "phases": [
            {
                "name": f"Phase {phase + 1}",
                "tasks": [
                    {
                        "id": f"t{number}",
                        "name": f"t{number}",
                        "component": body,
                        "configuration": name(number),
                    }
                    for number in range(first + phase * shape.width, first + (phase + 1) * shape.width)
                ],
            }
            for phase in range(shape.phases)
        ]
    }


def _sleeper(number: int) -> str:
    return f"s{number:05}"


def _configuration(number: int) -> str:
    return f"c{number:05}"
