"""Every query of the notifier is valid against the migrated schema, with the notifier's own rights."""

from importlib import resources

import pytest
from tests.support.databases import Database

from orchestrator_shared.database.queries import Queries

PACKAGE = "orchestrator_notifier.adapters"
FILES = sorted(file.name for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".sql"))


@pytest.mark.parametrize("file", FILES)
async def test_every_query_of_the_notifier_prepares(database: Database, file: str) -> None:
    queries = Queries.load(PACKAGE, file)
    async with database.connection("notifier") as connection:
        for name in queries:
            await connection.prepare(queries[name])


async def test_the_notifier_may_not_touch_what_others_own(database: Database) -> None:
    async with database.connection("notifier") as connection:
        for statement in (
            "INSERT INTO catalog.projects (id, name) VALUES ('x', 'x')",
            "SELECT * FROM catalog.tokens",
            "SELECT * FROM catalog.variables_v1",
            "UPDATE jobs.jobs SET status = 'success'",
            "DELETE FROM catalog.subscriptions",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(statement)
