"""The trash: what is listed, what comes back when it is restored, and what is left when it is purged."""

from typing import Any

from tests.integration.api.conftest import Client, RunningApi, orchestration, said
from tests.integration.api.people import person_with_role
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.database.queries import Queries

DAILY, ONE = "trash/orchestrator/daily", "trash/demo-extractor/one"


async def furnish_daily(admin: Client) -> dict[str, Any]:
    schedule = await admin.put("orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201)
    await admin.put("orchestrations/daily/schedules/off", {"cron": "0 6 * * *", "enabled": False}, status=201)
    trigger = await admin.put("orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201)
    return {"schedule": schedule, "trigger": trigger}


async def test_the_list_names_who_deleted_what(furnished: Client) -> None:
    await furnish_daily(furnished)
    assert (await furnished.get("trash"))["items"] == []
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    await furnished.delete("configurations/demo-extractor/two")
    items = (await furnished.get("trash"))["items"]
    assert [(each["component"], each["id"]) for each in items] == [
        ("demo-extractor", "two"), ("demo-extractor", "one"), ("orchestrator", "daily")
    ]  # fmt: skip
    daily = items[2]
    assert (daily["deleted_by"], daily["schedules"], daily["triggers"]) == ("admin@example.com", 2, 1)
    assert "key" not in daily
    first = await furnished.get("trash?limit=2")
    rest = await furnished.get(f"trash?limit=2&cursor={first['next']}")
    assert first["items"] + rest["items"] == items
    assert rest["next"] is None


async def test_a_restored_orchestration_is_as_it_was(furnished: Client, broker: BrokerVhost) -> None:
    made = await furnish_daily(furnished)
    before = await furnished.get("orchestrations/daily")
    token = await furnished.get("orchestrations/daily/token")
    await furnished.delete("orchestrations/daily")
    restored = await furnished.post(f"{DAILY}/restore")
    assert (restored["schedules"], restored["triggers"], restored["version"]) == (["mornings"], ["loaded"], 1)
    assert "fires and table updates while it was in the trash do not count" in restored["warnings"]
    after = await furnished.get("orchestrations/daily")
    kept = ("name", "phases", "enabled", "version", "notifications", "created_at", "updated_at")
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    again = await furnished.get("orchestrations/daily/token")
    assert (again["id"], again["revoked_at"]) == (token["id"], None)
    changes = await said(broker, "scheduler.changes", 6)
    assert made["schedule"]["id"] in {each["data"]["schedule_id"] for each in changes[4:]}
    assert (await furnished.get("trash"))["items"] == []
    actions = [each["action"] for each in (await furnished.get("audit"))["items"]]
    assert "configuration.restored" in actions[:2]


async def test_a_restored_configuration(furnished: Client) -> None:
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    restored = await furnished.post(f"{ONE}/restore")
    assert (restored["id"], restored["version"], restored["errors"]) == ("one", 1, [])
    assert (await furnished.get("configurations/demo-extractor/one"))["parameters"] == {"rows": 1}
    await furnished.delete("configurations/demo-extractor/two")
    daily = await furnished.post(f"{DAILY}/restore")
    assert daily["errors"] == [
        "task 'demo-extractor/two': the configuration demo-extractor/two is deleted"
    ], "it comes back nevertheless, and says what is missing"


async def test_only_the_trash_is_restored_or_purged(furnished: Client) -> None:
    for path in (DAILY, ONE, "trash/demo-extractor/ghost", "trash/ghost/ghost"):
        assert "is not in the trash" in (await furnished.post(f"{path}/restore", status=404))["detail"]
        assert "is not in the trash" in (await furnished.delete(path, status=404))["detail"]


async def test_what_is_purged_is_gone(furnished: Client, database: Database, broker: BrokerVhost) -> None:
    made = await furnish_daily(furnished)
    await furnished.put("orchestrations/daily", orchestration("one", name="Confidential"))
    token = await furnished.get("orchestrations/daily/token")
    await furnished.delete("orchestrations/daily")
    await furnished.delete(DAILY)
    for path in (DAILY, f"{DAILY}/restore"):
        method = "DELETE" if path == DAILY else "POST"
        await furnished.call(method, path, status=404)
    assert (await furnished.get("trash"))["items"] == []
    for path in ("orchestrations/daily", "orchestrations/daily/versions/1"):
        await furnished.get(path, status=404)
    rows = await database.fetchval(
        "SELECT string_agg(c::text || v::text, '') FROM catalog.configurations c"
        " JOIN catalog.configuration_versions v ON v.configuration = c.id WHERE c.id = 'daily'"
    )
    assert "Confidential" not in rows
    assert "demo-extractor" not in rows
    assert await database.fetchval("SELECT count(*) FROM catalog.subscriptions") == 0
    revoked = await database.fetchval(
        "SELECT revoked_at IS NOT NULL FROM catalog.tokens WHERE id = $1", token["id"]
    )
    assert revoked
    changes = await said(broker, "trigger-watcher.runs", 3)
    assert {each["data"]["trigger_id"] for each in changes} == {made["trigger"]["id"]}
    unstamped = await database.fetchval("SELECT count(*) FROM triggers.saved_versions WHERE at IS NULL")
    assert unstamped == 0
    assert (await furnished.get("audit"))["items"][0]["action"] == "configuration.purged"


async def test_a_purged_id_begins_anew(furnished: Client, database: Database) -> None:
    await furnish_daily(furnished)
    token = await furnished.get("orchestrations/daily/token")
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    await furnished.delete(DAILY)
    await furnished.delete(ONE)
    one = await furnished.put("configurations/demo-extractor/one", {"parameters": {}}, status=201)
    assert (one["version"], one["name"], one["changed"]) == (2, "one", True), (
        "jobs of the past name version 1"
    )
    assert [
        each["version"]
        for each in (await furnished.get("configurations/demo-extractor/one/versions"))["items"]
    ] == [2]
    daily = await furnished.put("orchestrations/daily", orchestration("one"), status=201)
    assert (daily["version"], daily["schedules"], daily["triggers"]) == (2, [], [])
    assert [each["event"] for each in daily["notifications"]] == ["error"]
    again = await furnished.get("orchestrations/daily/token")
    assert again["id"] != token["id"]
    assert again["revoked_at"] is None
    assert (await furnished.get("trash"))["items"] == []
    await furnished.delete("orchestrations/daily")
    assert len((await furnished.get("trash"))["items"]) == 1


async def test_a_copy_may_take_a_purged_id(furnished: Client) -> None:
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    await furnished.delete(ONE)
    copy = await furnished.post("configurations/demo-extractor/two/copies", {"id": "one"}, status=201)
    assert copy["version"] == 2


async def test_a_state_of_before_is_not_used_again(furnished: Client, database: Database) -> None:
    await database.execute(
        "INSERT INTO jobs.configuration_states (project, component, configuration, state, job_id)"
        " SELECT 'demo', 'demo-extractor', id, '{}', gen_random_uuid() FROM unnest('{one,two}'::text[]) AS id"
    )
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    await furnished.delete(ONE)
    await furnished.put("configurations/demo-extractor/one", {"parameters": {}}, status=201)
    states = Queries.load("orchestrator_runner.queue", "definitions.sql")["states"]
    places = [["demo"] * 2, ["demo-extractor"] * 2, ["one", "two"]]
    rows = await database.fetch(states, *places)
    assert [row["configuration"] for row in rows] == ["two"]


async def test_purging_waits_for_jobs(furnished: Client, database: Database) -> None:
    accepted = await furnished.post("configurations/demo-extractor/one/runs")
    runner = Runner(database)
    await runner.connect()
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    refused = await furnished.delete(ONE, status=409)
    assert refused["detail"].startswith("jobs of demo-extractor/one have not finished")
    job = await runner.job("one", 1, "processing", id=accepted["job_id"], version=1)
    await furnished.delete(ONE, status=409)
    await database.execute("UPDATE jobs.jobs SET status = 'terminating' WHERE id = $1", job)
    await furnished.delete(ONE, status=409)
    await database.execute(
        "UPDATE jobs.jobs SET status = 'terminated', finished_at = clock_timestamp(), replica_id = NULL"
        " WHERE id = $1",
        job,
    )
    await furnished.delete(ONE)
    shown = await furnished.get(f"jobs/{accepted['job_id']}")
    assert (shown["status"], shown["version"], shown["parameters_as_run"]) == ("terminated", 1, None)


async def test_who_may_use_the_trash(api: RunningApi, furnished: Client, database: Database) -> None:
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/one")
    few = await furnished.post(
        "tokens", {"name": "o", "scopes": ["configure"], "components": ["orchestrator"]}, status=201
    )
    editor = await person_with_role(furnished, database, "editor@example.com", role="editor")
    async with api.http(few["token"]) as http:
        client = Client(http)
        await client.post(f"{ONE}/restore", status=403)
        refused = await client.post(f"{DAILY}/restore", status=403)
        assert "'demo-extractor'" in refused["detail"], "it restores tasks of this component"
    async with api.http(editor) as http:
        client = Client(http)
        await client.delete(DAILY, status=403)
        await client.post(f"{DAILY}/restore")
