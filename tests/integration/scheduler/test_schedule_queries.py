"""Every query of the scheduler is accepted by the migrated schema, with its own role's rights."""

import pytest
from tests.support.databases import Database

from orchestrator_scheduler.wiring import load_queries


async def test_every_query_is_prepared_and_permitted(database: Database) -> None:
    queries = load_queries()
    async with database.connection("scheduler") as connection:
        for name in queries.names():
            # EXPLAIN checks the rights too, which PREPARE alone does not.
            statement = await connection.prepare(queries[name])
            nothing = ", ".join(
                f"NULL::{parameter.schema}.{parameter.name.removesuffix('[]')}"
                + ("[]" if parameter.name.endswith("[]") else "")
                for parameter in statement.get_parameters()
            )
            await connection.execute(f"PREPARE checked AS {queries[name]}")
            await connection.execute(f"EXPLAIN EXECUTE checked{f'({nothing})' if nothing else ''}")
            await connection.execute("DEALLOCATE checked")


@pytest.mark.parametrize("table", ["catalog.schedules", "jobs.jobs_v1"])
async def test_the_role_cannot_read_what_others_own(database: Database, table: str) -> None:
    async with database.connection("scheduler") as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.fetch(f"SELECT 1 FROM {table}")
