"""Nothing grows for ever: every table has an entry in docs/reference/retention.md, and deleted things go."""

from functools import partial
from pathlib import Path

import asyncpg
import pytest
from tests.support import documentation as docs
from tests.support.databases import Database

from orchestrator_api.settings import ApiSettings
from orchestrator_api.wiring import RETENTION_QUERIES, retention_plan
from orchestrator_scheduler.wiring import retention as scheduler_retention
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import parse_queries
from orchestrator_shared.database.retention import Retention
from orchestrator_trigger_watcher.wiring import retention as watcher_retention

STATEMENTS = dict(parse_queries(Path(__file__).with_name("deleted.sql").read_text(), file="deleted.sql"))
NEW_TABLE = "INSERT INTO triggers.tables (project, name) VALUES ('demo', $1) RETURNING last_seq"


async def forget(database: Database) -> None:
    """One pass of each service's retention, with its own rights."""
    settings = ApiSettings.model_construct(retention_days=90, audit_retention_days=730)
    for service in ("api", "scheduler", "trigger_watcher"):
        async with asyncpg.create_pool(database.url_for(service), min_size=1, max_size=1) as pool:
            connections = partial(acquire, pool)
            if service == "api":
                plan = retention_plan(settings)
                await Retention(connections, RETENTION_QUERIES, plan, batch=10, pause=0).once()
            elif service == "scheduler":
                await scheduler_retention(connections, days=90, batch=10).once()
            else:
                await watcher_retention(connections, days=90, table_days=365, batch=10).once()


@pytest.fixture
async def deleted(database: Database) -> Database:
    await database.execute(STATEMENTS["deleted"])
    return database


async def test_every_table_has_an_entry(database: Database) -> None:
    rows = await database.fetch(
        """SELECT schemaname || '.' || tablename AS name FROM pg_tables
           WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
    )
    told = [name for name, _ in docs.table_rows(docs.REFERENCE / "retention.md", columns=2)]
    assert told == sorted(row["name"] for row in rows)


async def test_deleted_schedules_and_triggers_go_with_all_that_belonged_to_them(deleted: Database) -> None:
    await forget(deleted)
    (row,) = await deleted.fetch(STATEMENTS["left"])
    assert dict(row) == dict.fromkeys(row.keys(), 0)


async def test_they_stay_while_a_job_names_them(deleted: Database) -> None:
    await deleted.execute(STATEMENTS["job_of_both"])
    (before,) = await deleted.fetch(STATEMENTS["left"])
    await forget(deleted)
    assert (await deleted.fetch(STATEMENTS["left"]))[0] == before


async def test_tokens_that_cannot_be_used_again_go_and_no_other(deleted: Database) -> None:
    await forget(deleted)
    rows = await deleted.fetch("SELECT name FROM catalog.tokens ORDER BY 1")
    assert [row["name"] for row in rows] == ["lately", "setting", "valid"]


async def test_forgotten_tables_that_come_back_go_on_above_all_numbers(deleted: Database) -> None:
    """Past runs remember how far they used a table: a smaller number would count as used."""

    async def known() -> list[str]:
        return [row["name"] for row in await deleted.fetch("SELECT name FROM triggers.tables ORDER BY 1")]

    await forget(deleted)  # marks
    assert "in.c-a.old" in await known()
    await forget(deleted)  # forgets
    assert await known() == ["in.c-a.heard", "in.c-a.kept"]
    async with deleted.connection("trigger_watcher") as connection:
        assert await connection.fetchval(NEW_TABLE, "in.c-a.old") == 7
