"""`kill -9` of any service at any moment of a run, then its start: the run ends as it should."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio
from tests.end_to_end.chain import Chains
from tests.support.stack import Stack, open_stack
from tests.support.stack_settings import MODULES
from tests.support.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("kills")]

SEED = int(os.environ.get("TEST_SEED") or time.time())
CHAIN_SECONDS = 2.5
SOON = """
UPDATE scheduler.next_fires
SET anchor = date_trunc('minute', clock_timestamp()) - interval '1 second',
    next_at = clock_timestamp() + interval '2 seconds'
WHERE schedule_id = $1 AND next_at > clock_timestamp() + interval '2 seconds'
RETURNING next_at
"""
"""The last full minute becomes due again: to wait for the next one takes half a minute more."""
TICKING = """
orchestration: ticking
phases: [{name: Tick, tasks: [{run: write/tick}]}]
schedules:
  every-minute: {cron: "* * * * *"}
---
configuration: write/tick
"""

LONG = """
orchestration: long
phases:
  - name: Load
    tasks:
      - run: load/long
      - run: fragile/once
notify:
  ops@example.com: [error]
---
configuration: load/long
parameters: {seconds: 3}
---
configuration: fragile/once
parameters: {seconds: 3}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chains]:
    async with open_stack(tmp_path_factory.mktemp("kills")) as stack:
        chains = Chains(stack)
        await chains.prepare()
        yield chains


@pytest.fixture
def chains(running: Chains) -> Iterator[Chains]:
    yield running
    running.stack.tell()


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    print(f"repeat with TEST_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


async def kill_and_start(stack: Stack, name: str, dice: random.Random, *, within: float) -> None:
    moment, pause = dice.uniform(0, within), dice.uniform(0, 1)
    await asyncio.sleep(moment)  # any moment is a good one to die
    stack.kill(name)
    print(f"killed the {name} {moment:.2f} s after the request, started it again {pause:.2f} s later")
    await asyncio.sleep(pause)
    await stack.restart(name)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "scheduler"])
async def test_a_killed_service_is_survived(chains: Chains, dice: random.Random, name: str) -> None:
    within = 0.5 if name == "api" else CHAIN_SECONDS

    async def disturb() -> None:
        await kill_and_start(chains.stack, name, dice, within=within)

    await chains.complete(disturb, repeated_mails=name == "notifier")


async def test_an_api_killed_while_it_is_asked_was_asked_once(chains: Chains, dice: random.Random) -> None:
    """The request is repeated with the same job id until it is answered."""
    asking = asyncio.create_task(chains.complete())
    await kill_and_start(chains.stack, "api", dice, within=0.05)
    await asking


async def test_a_dead_runners_tasks_never_run_beside_their_successors(chains: Chains) -> None:
    """Tasks that take longer than the lease: one may be repeated after a crash, the other may not."""
    stack = chains.stack
    await stack.apply(LONG)
    run = await stack.run("long")

    async def both_run() -> bool:
        return len(stack.ledger.executions(run)) == 2

    await eventually(both_run, 30)
    stack.kill("runner")
    await stack.restart("runner")
    ended = await stack.ended(run)
    await stack.at_rest()

    stack.ledger.check_serial()
    executions = stack.ledger.executions(run)
    assert [(each.attempt, each.ended) for each in executions if each.configuration == "load/long"] == [
        (1, False),
        (2, True),
    ]
    assert [(each.attempt, each.ended) for each in executions if each.configuration == "fragile/once"] == [
        (1, False)
    ]
    assert ended["status"] == "error"
    _, lost = [task["job"] for task in (await stack.phases(run))[0]["tasks"]]
    assert (lost["status"], lost["error_kind"]) == ("error", "internal")
    assert lost["message"].startswith("runner lost")
    (mail,) = [mail for mail in stack.mails.messages if run in mail.text]
    assert "runner lost" in mail.text


async def test_two_services_killed_at_once_are_survived(chains: Chains, dice: random.Random) -> None:
    names = dice.sample(list(MODULES), 2)

    async def disturb() -> None:
        await asyncio.gather(
            *(kill_and_start(chains.stack, name, dice, within=CHAIN_SECONDS) for name in names)
        )

    await chains.complete(disturb, repeated_mails=True)


async def test_a_scheduler_killed_at_a_fire_fires_once(chains: Chains, dice: random.Random) -> None:
    stack = chains.stack
    await stack.apply(TICKING)
    schedule = await stack.robot.get("orchestrations/ticking/schedules/every-minute")

    async def brought_near() -> datetime | None:
        due: datetime | None = await stack.database.fetchval(SOON, UUID(schedule["id"]))
        return due

    due = await eventually(brought_near, 30)
    offset = dice.uniform(-0.3, 0.4)
    # The clock is what is waited for.
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + offset)
    stack.kill("scheduler")
    print(f"killed the scheduler {offset:+.2f} s from its fire")
    await chains.begin()
    await stack.restart("scheduler")

    async def ended() -> bool:
        return any(run["finished_at"] for run in await stack.runs("ticking"))

    await eventually(ended, 30)
    body = {key: schedule[key] for key in ("cron", "timezone")}
    await stack.robot.put("orchestrations/ticking/schedules/every-minute", {**body, "enabled": False})
    await stack.at_rest()
    runs = await stack.runs("ticking")
    fires = (await stack.robot.get(f"schedules/{schedule['id']}/fires"))["items"]
    requested = [fire for fire in fires if fire["outcome"] == "requested"]
    assert sorted(run["id"] for run in runs) == sorted(fire["job_id"] for fire in requested)
    assert len({fire["scheduled_for"] for fire in requested}) == len(requested)
    assert {run["status"] for run in runs} == {"success"}
    assert [run["origin"] for run in runs] == ["schedule"] * len(runs)


async def test_in_the_end_everything_happened_once(chains: Chains) -> None:
    await chains.stack.at_rest()
    await chains.stack.drained()
    await chains.check(repeated_mails=True)
    assert chains.stack.exit_codes() == {}
