"""Every named query of every service is valid against the migrated schema, with the service's own rights."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, fields
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest
from tests.support.databases import Database

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store

SERVICES = ("api", "scheduler", "trigger_watcher", "runner", "notifier")
ROOTS = {service: Path(str(resources.files(f"orchestrator_{service}"))) for service in SERVICES}
FILES = [
    (service, ".".join([root.name, *file.parent.relative_to(root).parts]), file.name)
    for service, root in ROOTS.items()
    for file in root.rglob("*.sql")
]
BELONGS_TO_OTHERS = {
    "scheduler": [
        "SELECT FROM catalog.schedules",
        "SELECT FROM jobs.jobs_v1",
        "SELECT FROM catalog.configuration_versions_v1",
        "SELECT FROM catalog.variables_v1",
    ],
    "trigger_watcher": [
        "SELECT FROM catalog.triggers",
        "SELECT FROM jobs.jobs",
        "SELECT parameters FROM jobs.jobs_v1",
        "SELECT j FROM jobs.jobs_v1 j",
        "SELECT FROM jobs.tasks_v1",
        "SELECT FROM catalog.configuration_versions_v1",
        "SELECT FROM catalog.variables_v1",
        "SELECT FROM catalog.run_requests_v1",
    ],
    "runner": [
        "INSERT INTO catalog.projects (id, name) VALUES ('x', 'x')",
        "SELECT FROM catalog.tokens",
        "UPDATE triggers.states SET generation = 1",
        "DELETE FROM notifications.facts",
    ],
    "notifier": [
        "INSERT INTO catalog.projects (id, name) VALUES ('x', 'x')",
        "SELECT FROM catalog.tokens",
        "SELECT FROM catalog.people",
        "SELECT FROM catalog.person_links",
        "SELECT FROM catalog.variables_v1",
        "SELECT parameters FROM jobs.jobs_v1",
        "SELECT request FROM jobs.tasks_v1",
        "SELECT FROM catalog.configuration_versions_v1",
        "SELECT FROM catalog.run_requests_v1",
        "UPDATE jobs.jobs SET status = 'success'",
        "DELETE FROM catalog.subscriptions",
    ],
}


@pytest.mark.parametrize(("service", "package", "file"), sorted(FILES))
async def test_every_query_is_prepared_and_permitted(
    database: Database, service: str, package: str, file: str
) -> None:
    """PREPARE finds wrong names and types; planning it with EXPLAIN finds missing rights, too."""
    queries = Queries.load(package, file)
    async with database.connection(service) as connection:
        for name in queries:
            try:
                await connection.execute(f"PREPARE tried AS {queries[name]}")
                parameters = await connection.fetchval(
                    "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'tried'"
                )
                nothing = ", ".join(f"NULL::{parameter}" for parameter in parameters)
                await connection.execute(f"EXPLAIN EXECUTE tried{f'({nothing})' if nothing else ''}")
                await connection.execute("DEALLOCATE tried")
            except Exception as error:
                pytest.fail(f"{name}: {error}")


def rows_of_stores() -> Iterator[tuple[str, type[Store], str, type]]:
    """Service, store, statement and dataclass, as each store's methods name them."""
    for service in SERVICES:
        for module in modules(f"orchestrator_{service}"):
            for _, store in inspect.getmembers(module, inspect.isclass):
                if not issubclass(store, Store) or store.__module__ != module.__name__:
                    continue
                for call in ast.walk(ast.parse(inspect.getsource(store))):
                    match call:
                        case ast.Call(
                            func=ast.Attribute(attr="_one" | "_many"),
                            args=[ast.Name(kind), ast.Constant(str(query))],
                        ):
                            yield service, store, query, getattr(module, kind)


def modules(package: str) -> Iterator[ModuleType]:
    root = Path(str(resources.files(package)))
    for file in sorted(root.rglob("*.py")):
        if file.stem in ("__init__", "__main__"):
            continue
        yield importlib.import_module(".".join((package, *file.relative_to(root).with_suffix("").parts)))


async def test_every_row_has_a_field_for_each_column(database: Database) -> None:
    wrong = []
    found = list(rows_of_stores())
    assert found
    for service, store, query, kind in found:
        async with database.connection(service) as connection:
            statement = await connection.prepare(store.queries[query])
            columns = {column.name for column in statement.get_attributes()}
        known = {field.name for field in fields(kind)}
        needed = {
            field.name
            for field in fields(kind)
            if field.default is MISSING and field.default_factory is MISSING
        }
        if not needed <= columns <= known:
            wrong.append((store.__name__, query, needed - columns, columns - known))
    assert wrong == []


@pytest.mark.parametrize("service", BELONGS_TO_OTHERS)
async def test_no_service_may_touch_what_others_own(database: Database, service: str) -> None:
    """Issue 8, 9, among others: parameters and variables are for api and runner alone."""
    async with database.connection(service) as connection:
        for statement in BELONGS_TO_OTHERS[service]:
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(statement)
