"""A backup made under load is restored in place, as docs/how-to/back-up-and-restore.md tells people to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.end_to_end.chain import STATUS, Chains
from tests.support.databases import Database
from tests.support.dumps import dump, privileges, restore
from tests.support.pipelines import ENCRYPTION_KEY
from tests.support.stack import PROJECT, Stack, open_stack
from tests.support.waiting import eventually

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

pytestmark = pytest.mark.timeout(240)

MORE = """
orchestration: hourly
phases: [{name: Tick, tasks: [{run: write/tick}]}]
schedules:
  every-hour: {every: 1h}
---
configuration: write/tick
---
orchestration: long
phases: [{name: Wait, tasks: [{run: load/long}]}]
---
configuration: load/long
parameters: {meet: [go]}
"""
AN_HOUR_LATER = """
UPDATE scheduler.next_fires
SET anchor = date_trunc('second', clock_timestamp()) - interval '1 hour', next_at = clock_timestamp()
"""
UNHEARD = """
SELECT (SELECT coalesce(sum(jsonb_array_length(output_tables)), 0) FROM jobs.jobs)
       - (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL)
"""
UPDATE = {"updates": [{"table": "in.c-erp.stock", "id": "stock-1"}]}


@dataclass(frozen=True)
class Known:
    """What a database knows."""

    jobs: frozenset[UUID]
    updates: frozenset[tuple[str, str]]
    fires: frozenset[tuple[UUID, str]]
    mails: frozenset[str]

    @classmethod
    async def read(cls, database: Database) -> "Known":
        return cls(
            frozenset(row["id"] for row in await database.fetch("SELECT id FROM jobs.jobs")),
            frozenset(
                (row["source"], row["event_id"])
                for row in await database.fetch("SELECT source, event_id FROM triggers.updates")
            ),
            frozenset(
                (row["id"], row["key"])
                for row in await database.fetch(
                    """SELECT schedule_id AS id, fire_key AS key FROM scheduler.fires UNION ALL
                       SELECT trigger_id, generation::text FROM triggers.fires"""
                )
            ),
            frozenset(
                row["message_id"]
                for row in await database.fetch("SELECT message_id FROM notifications.deliveries")
            ),
        )

    def counts(self) -> dict[str, int]:
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}

    def __le__(self, other: "Known") -> bool:
        return all(getattr(self, name) <= getattr(other, name) for name in self.__dataclass_fields__)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with open_stack(tmp_path) as stack:
        yield stack


@pytest.fixture
def commands(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line as the database's owner."""
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", stack.database.url)
    monkeypatch.setenv(
        "ORCHESTRATOR_DATABASE_ROLE_PREFIX", stack.database.role_names["api"].removesuffix("api")
    )
    monkeypatch.setenv("ORCHESTRATOR_ENCRYPTION_KEYS", ENCRYPTION_KEY)


async def command(*arguments: str) -> None:
    assert await asyncio.to_thread(main, ["db", *arguments]) == ExitCode.OK


@pytest.mark.usefixtures("commands")
async def test_a_backup_made_under_load_is_restored_and_nothing_of_it_is_lost(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = Chains(stack)
    await chains.prepare()
    await stack.apply(MORE)
    await stack.robot.put("variables/password", {"value": "hidden", "secret": True})
    await stack.robot.post("table-updates", UPDATE)
    token = await stack.person.post("tokens", {"name": "gone", "scopes": ["read"]})
    await chains.complete()
    long = await stack.run("long")
    await eventually(lambda: stack.ledger.executions(long), 30)
    load = asyncio.create_task(_load(chains))
    await eventually(lambda: len(chains.asked) > 3, 30)
    before = await privileges(stack.database)
    for name in ("scheduler", "trigger-watcher"):
        stack[name].suspend()
    await stack.database.execute(AN_HOUR_LATER)
    await eventually(lambda: _updates_at_the_broker_alone(stack), 30)
    await dump(stack.database, tmp_path / "backup")

    await _time_that_will_be_undone(stack, token["id"])
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    for name in ("api", "scheduler", "trigger-watcher", "notifier"):
        stack.kill(name)
    stack["runner"].suspend()  # the one that is forgotten when all are stopped
    stack.killed.add("runner")
    await restore(stack.database, tmp_path / "backup")
    saved = await Known.read(stack.database)
    await command("migrate")
    if stack.database.look is not None:
        await stack.database.look.close()  # the command refuses while anyone else is connected
    await command("after-restore", "--skip-missed-fires")
    assert await privileges(stack.database) == before

    stack["runner"].resume()
    await stack["runner"].ended(30)  # its lease is lost: it writes nothing and ends
    for name in ("runner", "api", "scheduler", "trigger-watcher", "notifier"):
        await stack.restart(name)
    stack.ledger.sign("go", long)
    assert (await stack.ended(long))["status"] == "success"
    (task,) = (await stack.phases(long))[0]["tasks"]
    assert task["job"]["attempt"] == 2
    await stack.at_rest()

    now = await Known.read(stack.database)
    print(f"at the backup {saved.counts()}, at rest after the restore {now.counts()}")
    assert saved <= now
    await _check_runs(stack)
    await _check_triggers(stack)
    await _check_mails(stack)
    assert await stack.dead_letters() == []
    assert await stack.runs("hourly") == []  # carried out before, and not made up for
    await _repeated_updates_change_nothing(stack, now)
    await _works_again(stack, token["token"])
    capsys.readouterr()
    await command("rotate-keys", "--check")
    assert "everything is under the first key" in capsys.readouterr().out


async def _load(chains: Chains) -> None:
    while True:
        await chains.begin()
        await asyncio.sleep(0.15)


async def _updates_at_the_broker_alone(stack: Stack) -> bool:
    """Runs have reported tables, RabbitMQ has confirmed that, and nobody has heard it."""
    unheard = await stack.database.fetchval(UNHEARD)
    return bool(unheard) and not await stack.database.fetchval("SELECT count(*) FROM jobs.outbox")


async def _time_that_will_be_undone(stack: Stack, token: str) -> None:
    """Someone revokes a token, a schedule fires and its run ends, and so do runs that were waiting."""
    await stack.person.call("DELETE", f"tokens/{token}")
    for name in ("scheduler", "trigger-watcher"):
        stack[name].resume()
    (run,) = await eventually(lambda: stack.runs("hourly"), 30)
    await stack.ended(run["id"])


async def _check_runs(stack: Stack) -> None:
    """Every request of the backup has its run, which ended as it should."""
    rows = await stack.database.fetch(
        """SELECT r.job_id, r.configuration, j.status FROM catalog.run_requests r
           LEFT JOIN jobs.jobs j ON j.id = r.job_id"""
    )
    assert len(rows) > 3
    assert [dict(row) for row in rows if row["status"] != STATUS.get(row["configuration"], "success")] == []


async def _check_triggers(stack: Stack) -> None:
    """Each update was judged once, each generation has one run."""
    (row,) = await stack.database.fetch(
        """SELECT (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL) AS heard,
                  (SELECT count(*) FROM triggers.dispositions) AS judged,
                  (SELECT count(*) FROM triggers.fires) AS fires,
                  (SELECT generation FROM triggers.states) AS generation,
                  (SELECT count(*) FROM jobs.jobs WHERE origin = 'trigger') AS runs,
                  (SELECT count(*) FROM jobs.jobs WHERE configuration = 'ingest') AS ingests"""
    )
    assert row["heard"] == row["judged"] == 2 * row["ingests"], dict(row)
    assert row["fires"] == row["generation"] == row["runs"], dict(row)


async def _check_mails(stack: Stack) -> None:
    """Everyone was told of every run; told twice of it, under one Message-ID."""
    rows = await stack.database.fetch("SELECT message_id, status FROM notifications.deliveries")
    assert {row["status"] for row in rows} == {"sent"}
    arrived = {str(mail.message["Message-ID"]) for mail in stack.mails.messages}
    assert {row["message_id"] for row in rows} <= arrived
    runs = await stack.database.fetch("SELECT id FROM jobs.jobs WHERE configuration = ANY ($1)", list(STATUS))
    assert len(rows) == len(runs)


async def _repeated_updates_change_nothing(stack: Stack, known: Known) -> None:
    await stack.robot.post("table-updates", UPDATE)

    async def heard() -> bool:
        return bool(
            await stack.database.fetchval(
                "SELECT deliveries = 2 FROM triggers.updates WHERE table_name = 'in.c-erp.stock'"
            )
        )

    await eventually(heard, 30)
    assert (await Known.read(stack.database)).updates == known.updates


async def _works_again(stack: Stack, token: str) -> None:
    """What was revoked after the backup: the command says so, and --revoke-tokens is the way out."""
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await http.get(f"/v1/projects/{PROJECT}/orchestrations", headers=headers)
    assert answer.status_code == 200
