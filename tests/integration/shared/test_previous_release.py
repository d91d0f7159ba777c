"""The statements of the previous release, on the schema of this one: its services go on while ours join them.

The whole of it, with both releases' services under load, is a part of `make soak`.
"""

from pathlib import Path

import asyncpg
import pytest
from tests.support import previous_release
from tests.support.databases import SERVICES, Database

from orchestrator_shared.database.queries import Queries, parse_queries


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return previous_release.unpack(tmp_path_factory.mktemp("previous"))


def queries(source: Path, service: str) -> dict[str, Queries]:
    """By file; those that every service shares are those of its own schema."""
    folder = source / "services" / service.replace("_", "-") / "src"
    found = {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*.sql"))}
    assert found, f"no statements in {folder}"
    return {name: Queries(dict(parse_queries(text, file=name))) for name, text in found.items()}


@pytest.mark.parametrize("service", SERVICES)
async def test_every_statement_of_the_previous_release_is_permitted_on_this_schema(
    database: Database, source: Path, service: str
) -> None:
    async with database.connection(service) as connection:
        broken = [
            f"{file}: {name}: {problem}"
            for file, found in queries(source, service).items()
            for name in found
            if (problem := await refusal(connection, found[name]))
        ]
    assert broken == []


async def refusal(connection: asyncpg.Connection, sql: str) -> str | None:
    """Why PostgreSQL does not plan a statement."""
    try:
        await connection.execute(f"PREPARE tried AS {sql}")
        parameters = await connection.fetchval(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'tried'"
        )
        nothing = ", ".join(f"NULL::{parameter}" for parameter in parameters)
        await connection.execute(f"EXPLAIN EXECUTE tried{f'({nothing})' if nothing else ''}")
        await connection.execute("DEALLOCATE tried")
    except asyncpg.PostgresError as error:
        return str(error)
    return None
