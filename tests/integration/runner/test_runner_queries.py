"""Every query of the runner is valid against the migrated schema, with the runner's own rights."""

from importlib import resources

import pytest
from tests.support.databases import Database

from orchestrator_shared.database.queries import Queries

PACKAGE = "orchestrator_runner.adapters"
FILES = sorted(file.name for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".sql"))


@pytest.mark.parametrize("file", FILES)
async def test_every_query_prepares(database: Database, file: str) -> None:
    queries = Queries.load(PACKAGE, file)
    async with database.connection("runner") as connection:
        for name in queries:
            await connection.prepare(queries[name])


async def test_the_runner_may_not_write_what_others_own(database: Database) -> None:
    async with database.connection("runner") as connection:
        for statement in (
            "INSERT INTO catalog.projects (id, name) VALUES ('x', 'x')",
            "SELECT * FROM catalog.tokens",
            "UPDATE triggers.states SET generation = 1",
            "DELETE FROM notifications.facts",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(statement)
