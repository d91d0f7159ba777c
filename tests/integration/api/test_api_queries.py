"""Every named query fits the migrated schema and the rights of the api's role."""

import pytest
from tests.support.databases import Database

from orchestrator_api.adapters.sql import load_queries


async def test_every_query_is_prepared_and_planned_as_the_api_role(database: Database) -> None:
    """PREPARE finds wrong names and types; planning it with EXPLAIN finds missing rights, too."""
    queries = load_queries()
    async with database.connection("api") as connection:
        for name in queries.names():
            try:
                statement = await connection.prepare(queries[name])
                values = ", ".join(f"NULL::{parameter.name}" for parameter in statement.get_parameters())
                await connection.execute(f"PREPARE tried AS {queries[name]}")
                await connection.fetch(f"EXPLAIN EXECUTE tried{f'({values})' if values else ''}")
                await connection.execute("DEALLOCATE tried")
            except Exception as error:
                pytest.fail(f"{name}: {error}")
