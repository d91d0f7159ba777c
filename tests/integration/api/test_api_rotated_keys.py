"""`orchestrator db rotate-keys`: everything is under the new key, bound to its place; all else stays."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.integration.api.conftest import (
    ADMIN_TOKEN,
    KEY,
    Client,
    furnish,
    orchestration,
    running,
    settings_on,
)
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.sealed_columns import sealed_columns
from tests.support.waiting import eventually

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main
from orchestrator_shared.database.key_rotation import KeyRotation
from orchestrator_shared.database.rotated_tables import TABLES
from orchestrator_shared.sealed_values import SealedValue
from orchestrator_shared.secret_places import of_parameters, of_run_elsewhere, of_state, of_variable
from orchestrator_shared.security import Encryption

OLD, NEW = base64.b64decode(KEY), os.urandom(32)
BEFORE = Encryption([OLD], form="v1")
BOTH = Encryption([NEW, OLD])
AFTER = Encryption([NEW])
OF_ONE = of_parameters("demo", "demo-extractor", "one")
LOOSE = {"type": "extractor", "command": ["{python}", "-m", "demo"]}
NO_SECRET = "enc:v1:xxxxxx"
NUMBER = "12345678901234567890.1234567890123456789"
HOSTS = [{"host": "a", "#password": "of a"}, {"host": "b", "#password": "of b"}]
NESTED = {
    "id": "nested",
    "component": "orchestrator",
    "configuration": "daily",
    "parameters": {"parameters": {"demo-extractor/two": {"#password": "of two"}}},
}
DIRECT = {
    "id": "direct",
    "component": "demo-extractor",
    "configuration": "one",
    "parameters": {"parameters": {"#password": "of one"}},
}


@asynccontextmanager
async def an_api(database: Database, broker: BrokerVhost, **settings: Any) -> AsyncIterator[Client]:
    changed = settings_on(database, broker).model_copy(update=settings)
    async with running(changed) as service, service.http(ADMIN_TOKEN) as http:
        yield Client(http)


async def furnish_with_secrets(client: Client, database: Database) -> None:
    """A secret in every table, as the release before wrote it."""
    await client.post("/v1/projects", {"id": "demo", "name": "Demo"})
    await furnish(client)
    await client.put("/v1/components/demo-extractor", LOOSE)
    await client.put(
        "configurations/demo-extractor/one", {"parameters": {"hosts": HOSTS, "note": f'"#a": "{NO_SECRET}"'}}
    )
    await client.put("variables/password", {"value": "of the variable", "secret": True})
    await client.put("orchestrations/outer", {"phases": [{"tasks": [NESTED, DIRECT]}]})
    renamed = {"operations": [{"operation": "rename_phase", "phase": 0, "name": "Drafted"}]}
    await client.post("orchestrations/outer/draft/steps", renamed, headers={"If-Match": "*"})
    given = {"direct": {"#password": "of one"}, "nested": {"demo-extractor/one": {"#password": "of one"}}}
    await client.post("orchestrations/outer/runs", {"parameters": given})
    runner, sealed = Runner(database), {"#password": BEFORE.encrypt_value("of one", OF_ONE)}
    parameters = json.dumps({"direct": sealed, "nested": {"demo-extractor/one": sealed}})
    run = await runner.job("outer", 1, "error", component="orchestrator", version=1, parameters=parameters)
    text = json.dumps(sealed)[:-1] + f', "number": {NUMBER}}}'
    job = await runner.job("one", 1, "error", version=1, parameters=text)
    for statement, *values in (
        ("INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'P', 0)", run),
        (
            "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration,"
            " request, request_as_written, continue_on_failure, status, active, lane_id)"
            " SELECT $1, 0, 0, 'direct', 'direct', 'demo-extractor', 'one', $2::jsonb, $2::json, false,"
            " 'error', true, id FROM jobs.lanes WHERE configuration = 'one'",
            run,
            json.dumps({"parameters": sealed, "attempts": 1}),
        ),
        (
            "INSERT INTO jobs.attempts (job_id, attempt, replica_id, handle) VALUES ($1, 1, $2, $3)",
            job,
            uuid4(),
            json.dumps({**BEFORE.encrypt_secrets({"#run": {"id": "r1"}}, OF_ONE), "executor": "http"}),
        ),
        (
            "INSERT INTO jobs.configuration_states (project, component, configuration, state, job_id)"
            " VALUES ('demo', 'demo-extractor', 'one', $1, $2)",
            json.dumps(BEFORE.encrypt_secrets({"#state": {"cursor": 1}}, OF_ONE)),
            job,
        ),
    ):
        await database.execute(statement, *values)


def places(texts: set[str]) -> set[str | None]:
    return {SealedValue.parse(text).place for text in texts}


@asynccontextmanager
async def connected(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_everything_is_encrypted_anew_and_bound_to_its_place(
    database: Database, broker: BrokerVhost
) -> None:
    async with an_api(database, broker, secret_form="v1") as client:
        await furnish_with_secrets(client, database)
        shown = await client.get("configurations/demo-extractor/one")
    before = await sealed_columns(database, apart_from=NO_SECRET)
    assert {name.rpartition(".")[0] for name in before} == {str(table) for table in TABLES}
    assert {text[:7] for texts in before.values() for text in texts} == {"enc:v1:"}

    async with connected(database) as connection:
        await KeyRotation(connection, BOTH, batch=1).run(lambda table, rows: None)
        uses = await KeyRotation(connection, BOTH).uses()
    assert [(use.key, use.form) for use in uses if use.rows] == [(AFTER.key_ids[0], "v2")]
    assert set(uses[0].rows) == {str(table) for table in TABLES}

    after = await sealed_columns(database, apart_from=NO_SECRET)
    assert {name: len(texts) for name, texts in after.items()} == {
        name: len(texts) for name, texts in before.items()
    }
    assert {text[:16] for texts in after.values() for text in texts} == {f"enc:v2:{AFTER.key_ids[0]}:"}
    one, two = (of_parameters("demo", "demo-extractor", name).name for name in ("one", "two"))
    of_one = ("demo", "demo-extractor", "one")
    assert {name: places(texts) for name, texts in after.items() if not name.endswith("_as_written")} == {
        "catalog.configuration_versions.parameters": {one, two},
        "catalog.draft_states.definition": {one, two},
        "catalog.variables.value": {of_variable("demo", "password").name},
        "catalog.run_requests.parameters": {one},
        "jobs.jobs.parameters": {one},
        "jobs.tasks.request": {one},
        "jobs.attempts.handle": {of_run_elsewhere(*of_one).name},
        "jobs.configuration_states.state": {of_state(*of_one).name},
    }
    assert NUMBER in await database.fetchval("SELECT string_agg(parameters::text, '') FROM jobs.jobs")
    variable = await database.fetchval("SELECT value FROM catalog.variables")
    assert AFTER.decrypt_value(variable, of_variable("demo", "password")) == "of the variable"

    async with an_api(database, broker, encryption_keys=(NEW,)) as client:  # the old key is gone
        assert (await client.get("configurations/demo-extractor/one"))["parameters"] == shown["parameters"]
        hosts = shown["parameters"]["hosts"][::-1]
        await client.put("configurations/demo-extractor/one", {"parameters": {"hosts": hosts}})
        stored = await database.fetchval(
            "SELECT parameters::text FROM catalog.configuration_versions WHERE configuration = 'one'"
            " ORDER BY version DESC LIMIT 1"
        )
        assert AFTER.decrypt_secrets(json.loads(stored), OF_ONE) == {"hosts": HOSTS[::-1]}
        phases = (await client.get("orchestrations/outer"))["phases"]
        assert not (await client.put("orchestrations/outer", {"phases": phases}))["changed"]


async def test_a_row_that_a_service_changes_meanwhile_is_not_lost(admin: Client, database: Database) -> None:
    await admin.put("variables/password", {"value": "first", "secret": True})
    place = of_variable("demo", "password")

    async def is_held_up() -> bool:
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        return bool(await database.fetchval(f"{held} AND wait_event_type = 'Lock'"))

    async with connected(database) as connection, connected(database) as other:
        async with other.transaction():
            newer = Encryption([OLD]).encrypt_value("second", place)
            await other.execute("UPDATE catalog.variables SET value = $1", newer)
            rotating = asyncio.create_task(KeyRotation(connection, BOTH).run(lambda table, rows: None))
            await eventually(is_held_up, 30)
        await rotating
    stored = await database.fetchval("SELECT value FROM catalog.variables")
    assert AFTER.decrypt_value(stored, place) == "second"


async def test_an_interrupted_rotation_goes_on(admin: Client, database: Database) -> None:
    for number in range(5):
        await admin.put(f"variables/v{number}", {"value": "x", "secret": True})
    written: list[int] = []

    def stop_after_two(table: str, rows: int) -> None:
        written.append(rows)
        if sum(written) == 2:
            raise KeyboardInterrupt

    async with connected(database) as connection:
        with pytest.raises(KeyboardInterrupt):
            await KeyRotation(connection, BOTH, batch=1).run(stop_after_two)
        assert sum(written) == 2
        again: list[int] = []
        await KeyRotation(connection, BOTH, batch=2).run(lambda table, rows: again.append(rows))
        assert sum(again) == 3


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["db", "rotate-keys", *arguments])


async def test_the_command_says_when_the_old_key_is_free(
    admin: Client, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await furnish(admin)
    await admin.put("/v1/components/demo-extractor", LOOSE)
    await admin.put("variables/password", {"value": "x", "secret": True})
    await admin.put("orchestrations/daily", orchestration("one"))
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", database.url)
    monkeypatch.delenv("ORCHESTRATOR_ENCRYPTION_KEYS", raising=False)
    assert await run() == ExitCode.BAD_INPUT
    assert "ORCHESTRATOR_ENCRYPTION_KEYS: is not set" in capsys.readouterr().err
    both = ",".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    monkeypatch.setenv("ORCHESTRATOR_ENCRYPTION_KEYS", both)
    old, new = Encryption([OLD]).key_ids[0], AFTER.key_ids[0]

    assert await run("--check") == ExitCode.RUN_FAILED
    said = capsys.readouterr()
    assert f"key {new} (the first): 0 rows\nkey {old}: 1 row\n" in said.out
    assert (
        f"form v2 under the key {old}, in catalog.variables (1 row): run `orchestrator db rotate-keys`"
        in said.err
    )
    assert await run() == ExitCode.OK
    said = capsys.readouterr()
    assert "catalog.variables: 1 row encrypted anew" in said.out
    assert f"key {new} (the first): 1 row\n" in said.out
    assert f"key {old}: no rows: remove it from ORCHESTRATOR_ENCRYPTION_KEYS of api and runner" in said.out
    assert await run("--check") == ExitCode.OK

    lost = {"#password": Encryption([bytes(32)]).encrypt_value("lost", OF_ONE)}
    await Runner(database).job("one", 1, "error", id=UUID(int=1), parameters=json.dumps(lost))
    assert await run() == ExitCode.RUN_FAILED
    assert "not set here, in jobs.jobs (1 row): enter these secrets again" in capsys.readouterr().err
    assert lost == json.loads(await database.fetchval("SELECT parameters::text FROM jobs.jobs"))
