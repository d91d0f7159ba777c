"""`orchestrator db after-restore` and `after-broker-loss`: what they end, fence and send again."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.support.databases import Database

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main
from orchestrator_shared.contracts.envelope import Envelope
from orchestrator_shared.domain.ids import output_update_id

RUN, FIRE, PENDING, DONE = (UUID(int=number) for number in (1, 3, 4, 5))
LOST = Path(__file__).with_name("lost.sql").read_text(encoding="utf-8")
ENDED = """
SELECT (SELECT count(*) FROM catalog.sessions) AS sessions,
       (SELECT count(*) FROM catalog.person_links WHERE used_at IS NULL) AS links,
       (SELECT count(*) FROM jobs.replicas WHERE lost_at IS NULL) AS leases,
       (SELECT array_agg(epoch ORDER BY id) FROM jobs.jobs) AS epochs,
       (SELECT array_agg(name ORDER BY name) FROM catalog.tokens WHERE revoked_at IS NULL) AS tokens,
       (SELECT count(*) FROM scheduler.next_fires WHERE next_at IS NULL AND version = 0) AS skipping
"""


@pytest.fixture
async def lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with something of everything that can be lost."""
    await database.execute(LOST)
    await settled(database)
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database.url)
    return database


async def settled(database: Database) -> None:
    """Nobody is connected."""
    if database.look is not None:
        await database.look.close()


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["db", *arguments])


async def sent(database: Database) -> dict[str, list[Any]]:
    """What is in the outboxes, by schema, as its consumers will read it."""
    found: dict[str, list[Any]] = {}
    for schema in ("catalog", "scheduler", "triggers", "jobs"):
        rows = await database.fetch(f"SELECT body FROM {schema}.outbox ORDER BY created_at, id")
        found[schema] = [Envelope.model_validate(json.loads(row["body"])) for row in rows]
    return found


async def test_after_a_restore_nothing_of_before_acts_and_nothing_is_missing(
    lost: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("after-restore") == ExitCode.OK
    said = capsys.readouterr().out
    assert "ended 1 session and 1 link" in said
    assert "fenced 1 unfinished job of 1 runner" in said
    assert "to be sent again: 1 requested run, 2 runs of schedules and triggers, 1 table update" in said
    assert "note: 1 valid token, including" in said
    (row,) = await lost.fetch(ENDED)
    assert dict(row) == {
        "sessions": 0,
        "links": 0,
        "leases": 0,
        "epochs": [1, 1_000_001],
        "tokens": ["administrator", "nightly", "robot"],
        "skipping": 0,
    }


async def test_tokens_and_missed_fires_are_a_choice(
    lost: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("after-restore", "--revoke-tokens", "--skip-missed-fires") == ExitCode.OK
    said = capsys.readouterr().out
    assert "revoked 1 token" in said
    assert "1 schedule will go on from now" in said
    (row,) = await lost.fetch(ENDED)
    assert row["tokens"] == ["administrator", "nightly"]
    assert row["skipping"] == 1


async def test_a_database_in_use_is_refused(lost: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with lost.connection("runner"):
        assert await run("after-restore") == ExitCode.RUN_FAILED
        assert lost.role_names["runner"] in capsys.readouterr().err
        assert await run("after-restore", "--even-if-in-use") == ExitCode.OK


async def test_after_the_loss_of_the_broker_everything_unheard_is_sent_again(lost: Database) -> None:
    assert await run("after-broker-loss") == ExitCode.OK
    found = await sent(lost)
    assert {schema: len(messages) for schema, messages in found.items()} == {
        "catalog": 1,
        "scheduler": 1,
        "triggers": 1,
        "jobs": 1,
    }
    (requested,), (fire,), (pending,), (update,) = (found[schema] for schema in found)
    assert requested.source == "/api"
    assert requested.data["job_id"] == str(RUN)
    assert requested.data["notify"] == "Jana@example.com"
    assert requested.data["attended"] is True
    assert requested.data["details"] is True
    assert (fire.data["job_id"], fire.data["fire_key"]) == (str(FIRE), "yesterday")
    assert (pending.data["job_id"], pending.data["generation"]) == (str(PENDING), 3)
    assert pending.data["chain_length"] == 5
    assert (update.source, update.id) == ("/runner", str(output_update_id(DONE, "in.c-a.b")))
    assert (update.data["table"], update.data["rows"]) == ("in.c-a.b", 7)
    (row,) = await lost.fetch(ENDED)
    assert (row["sessions"], row["leases"], row["epochs"]) == (1, 1, [1, 1])


async def test_where_nothing_ever_happened_there_is_nothing_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settled(database)
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database.url)
    assert await run("after-restore") == ExitCode.OK
