"""An upgrade without downtime: the previous release goes on, on the new schema, while this one joins it.

All of it under load, and then everything is accounted for: jobs, fires, updates, mails.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.end_to_end.accounts import HOURLY, Known, an_hour_later, check_mails, check_runs, check_triggers
from tests.end_to_end.chain import Chains
from tests.support import previous_release, servers
from tests.support.databases import SERVICES, Database, database_url
from tests.support.stack import Stack, open_stack
from tests.support.stack_settings import MODULES
from tests.support.waiting import eventually

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

PASSWORD = "of-the-previous-release"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return previous_release.environment_for(tmp_path_factory.mktemp("previous"))


@pytest.fixture
async def old_database(
    python: Path, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """Made and migrated by the previous release; the command line here is for the same database."""
    prefix = f"{empty_database.name}_"
    environment = {
        "ORCHESTRATOR_DATABASE_URL": empty_database.url,
        "ORCHESTRATOR_DATABASE_ROLE_PREFIX": prefix,
        **{f"ORCHESTRATOR_DATABASE_PASSWORD_{service.upper()}": PASSWORD for service in SERVICES},
    }
    for command in ("roles", "migrate"):
        await previous_release.command(python, "db", command, environment=environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    admin_url = servers.postgres().url
    yield Database(
        name=empty_database.name,
        url=empty_database.url,
        role_names={service: f"{prefix}{service}" for service in SERVICES},
        role_urls={
            service: database_url(admin_url, empty_database.name, f"{prefix}{service}", PASSWORD)
            for service in SERVICES
        },
    )
    async with empty_database.connection() as connection:
        for service in SERVICES:
            await connection.execute(f'DROP OWNED BY "{prefix}{service}"; DROP ROLE "{prefix}{service}"')


class Load:
    """Runs and updates, requested without a pause at whichever api is there."""

    def __init__(self, stack: Stack, more_chains: int) -> None:
        """In each state of the upgrade, so many chains more begin and end."""
        self._more_chains = more_chains
        self.chains = Chains(stack)
        self.caller = stack.robot
        self.updates: list[str] = []
        self.fires = 0
        self._stack = stack

    async def offer(self) -> None:
        """For ever."""
        for number in itertools.count():
            self.chains.asked.append(await self._stack.run("ingest", by=self.caller))
            update = {"table": "in.c-erp.stock", "id": f"stock-{number}"}
            await self.caller.post("table-updates", {"updates": [update]}, key=update["id"])
            self.updates.append(update["id"])
            await asyncio.sleep(1.2)  # a run takes most of that, and they take turns

    async def passes(self) -> None:
        """More chains begin and end, and a schedule fires, with whoever is there now."""
        wanted = len(self.chains.asked) + self._more_chains
        self.fires += 1
        await an_hour_later(self._stack.database)
        await eventually(lambda: len(self.chains.asked) >= wanted, 60)
        await self._stack.ended(self.chains.asked[wanted - 1], 120)

        async def fired() -> bool:
            runs = await self._stack.runs("hourly")
            return len(runs) == self.fires and all(run["finished_at"] for run in runs)

        await eventually(fired, 60)


async def migrate() -> None:
    assert await asyncio.to_thread(main, ["db", "migrate"]) == ExitCode.OK


async def upgrade(python: Path, old_database: Database, folder: Path, *, more_chains: int) -> None:
    """Go through all states of it, then hold everything against what was there before and was asked for."""
    async with open_stack(folder, database=old_database, python=python) as stack:
        load = Load(stack, more_chains)
        await load.chains.prepare()
        await stack.apply(HOURLY)
        offering = asyncio.create_task(load.offer())
        await load.passes()
        before = await Known.read(old_database)

        await migrate()
        await load.passes()  # the previous release alone, on the new schema
        for name in MODULES:  # as when a machine fails in the middle of an upgrade
            stack.kill(name) if name == "runner" else await stack.leave(name)
            await stack.restart(name)
        await load.passes()
        stack.python = None
        for name in MODULES:
            await stack.join(name, 2)
        await load.passes()  # both, side by side
        load.caller = stack.robot = stack.caller(
            stack.robot.http.headers["Authorization"].removeprefix("Bearer "), "api-2"
        )
        for name in MODULES:
            await stack.leave(name)
        await load.passes()  # this release alone
        for name in MODULES:
            await stack.join(name, 1)

        offering.cancel()
        await asyncio.gather(offering, return_exceptions=True)
        await stack.at_rest(120)
        now = await Known.read(old_database)
        print(f"before the upgrade {before.counts()}, at rest after it {now.counts()}")
        assert before <= now
        await _account(stack, load)


async def _account(stack: Stack, load: Load) -> None:
    await check_runs(stack)
    await check_triggers(stack)
    await check_mails(stack, repeated=True)
    requested = await stack.database.fetch(
        "SELECT job_id FROM catalog.run_requests WHERE configuration = 'ingest'"
    )
    assert {str(row["job_id"]) for row in requested} >= set(load.chains.asked)
    heard = await stack.database.fetch(
        "SELECT coalesce(told_id, event_id) AS id FROM triggers.updates WHERE table_name = 'in.c-erp.stock'"
    )
    assert {row["id"] for row in heard} >= set(load.updates)
    fires = await stack.database.fetch("SELECT outcome FROM scheduler.fires")
    assert [fire["outcome"] for fire in fires] == ["requested"] * load.fires
    assert len(await stack.runs("hourly")) == load.fires
    stack.ledger.check_serial()
    assert await stack.dead_letters() == []
