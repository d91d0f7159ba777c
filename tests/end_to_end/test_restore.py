"""A backup made under load is restored in place, as docs/how-to/back-up-and-restore.md tells people to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.end_to_end.accounts import HOURLY, Known, an_hour_later, check_mails, check_runs, check_triggers
from tests.end_to_end.chain import Chains
from tests.support.dumps import dump, privileges, restore
from tests.support.pipelines import ENCRYPTION_KEY
from tests.support.stack import PROJECT, Stack, open_stack
from tests.support.waiting import eventually

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("restore"),
    pytest.mark.timeout(240),
]

LONG = """
orchestration: long
phases: [{name: Wait, tasks: [{run: load/long}]}]
---
configuration: load/long
parameters: {meet: [go]}
"""
AWAITING = """
orchestration: awaiting
phases: [{name: Tick, tasks: [{run: write/tick}]}]
triggers:
  rates: {tables: [in.c-erp.rates]}
---
configuration: write/tick
"""
PENDING_AND_SENT = """
SELECT EXISTS (SELECT FROM triggers.states WHERE orchestration = 'awaiting' AND pending_job_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM triggers.outbox)
"""
UNHEARD = """
SELECT (SELECT coalesce(sum(jsonb_array_length(output_tables)), 0) FROM jobs.jobs)
       - (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL)
"""
UPDATE = {"updates": [{"table": "in.c-erp.stock", "id": "stock-1"}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with open_stack(tmp_path_factory.mktemp("restore")) as stack:
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
    await stack.apply(f"{HOURLY}---{LONG}")
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
    await an_hour_later(stack.database)
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
    await check_runs(stack)
    await check_triggers(stack)
    await check_mails(stack, repeated=True)
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
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=30) as http:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await http.get(f"/v1/projects/{PROJECT}/orchestrations", headers=headers)
    assert answer.status_code == 200


@pytest.mark.usefixtures("commands")
async def test_a_trigger_does_not_wait_for_ever_for_a_run_whose_request_the_broker_lost(stack: Stack) -> None:
    await stack.apply(AWAITING)
    await eventually(lambda: _knows_its_trigger(stack), 30)
    stack.kill("runner")
    await stack.robot.post("table-updates", {"table": "in.c-erp.rates"})
    await eventually(lambda: stack.database.fetchval(PENDING_AND_SENT), 30)
    await asyncio.to_thread(stack.broker.purge)
    await stack.restart("runner")
    assert await stack.runs("awaiting") == []
    await command("after-broker-loss")
    (run,) = await eventually(lambda: stack.runs("awaiting"), 30)
    assert (await stack.ended(run["id"]))["status"] == "success"
    await stack.at_rest()


async def _knows_its_trigger(stack: Stack) -> bool:
    explanation = await stack.explain("awaiting", "rates")
    return all(table["counted"] is not None for table in explanation["tables"])
