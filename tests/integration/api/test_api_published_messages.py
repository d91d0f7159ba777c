"""What the api publishes to the other services, in the transaction that changes something."""

from datetime import UTC, datetime
from typing import Any

from tests.integration.api.conftest import Client, orchestration, said
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

DAILY = "orchestrations/daily"
MAIL = """
WITH fact AS (
    INSERT INTO notifications.facts (key, project, orchestration, event)
    VALUES ($2, 'demo', 'daily', $2) RETURNING key
)
INSERT INTO notifications.deliveries
    (id, fact_key, project, orchestration, event, channel, recipient, reason, message_id, created_at)
SELECT gen_random_uuid(), key, 'demo', 'daily', key, 'email', 'a@example.com', 'subscription', '<m>', $1
FROM fact
"""
SCHEDULE = {"cron": "30  5 * * 1-5", "timezone": "Europe/Prague"}


async def test_a_run_request_names_sender_and_recipient(furnished: Client, broker: BrokerVhost) -> None:
    wish = {"tasks": ["demo-extractor/two"], "scheduled_for": "2026-11-21T10:00:00+01:00"}
    accepted = await furnished.post(f"{DAILY}/runs", wish)
    await furnished.post(f"{DAILY}/runs", {"notify": False})
    first, second = await said(broker, "runner.commands", 2)
    assert first["type"] == "orchestrator.run.requested.v1"
    data = first["data"]
    assert data["job_id"] == accepted["job_id"]
    assert (data["origin"], data["attended"], data["details"]) == ("manual", True, True)
    assert (data["notify"], data["requested_by"]) == ("admin@example.com", "admin@example.com")
    assert data["scheduled_for"] == "2026-11-21T09:00:00Z"
    assert (second["data"].get("notify"), second["data"]["attended"]) == (None, True)
    assert second["data"]["details"] is False


async def test_a_repeated_request_is_published_once(furnished: Client, broker: BrokerVhost) -> None:
    answers = [await furnished.post(f"{DAILY}/runs", key="once") for _ in range(3)]
    await furnished.post(f"jobs/{answers[2]['job_id']}/termination", status=202)
    kinds = [envelope["type"] for envelope in await said(broker, "runner.commands", 2)]
    assert kinds == ["orchestrator.run.requested.v1", "orchestrator.job.terminate-requested.v1"]


async def test_refused_request_says_nothing(furnished: Client, database: Database) -> None:
    await furnished.post(f"{DAILY}/runs", {"tasks": ["nope"]}, status=422)
    assert await database.fetchval("SELECT count(*) FROM catalog.outbox") == 0


async def test_every_change_of_a_schedule_is_said(
    furnished: Client, broker: BrokerVhost, database: Database
) -> None:
    made = await furnished.put(f"{DAILY}/schedules/early", SCHEDULE, status=201)
    assert (made["cron"], made["version"]) == ("30 5 * * 1-5", 1)
    same = await furnished.put(f"{DAILY}/schedules/early", SCHEDULE, status=200)
    assert same["version"] == 1
    changed = await furnished.put(f"{DAILY}/schedules/early", {**SCHEDULE, "overlap": "skip"})
    assert (changed["version"], changed["id"]) == (2, made["id"])
    await furnished.put(DAILY, orchestration("one", "two", enabled=False))
    assert (await furnished.get(f"{DAILY}/schedules/early"))["version"] == 3
    await furnished.delete(f"{DAILY}/schedules/early", status=204)
    await furnished.get(f"{DAILY}/schedules/early", status=404)
    assert (await furnished.post(f"{DAILY}/schedules/early/restore"))["version"] == 5
    envelopes = await said(broker, "scheduler.changes", 5)
    assert {envelope["data"]["schedule_id"] for envelope in envelopes} == {made["id"]}
    rows = await database.fetch("SELECT version, deleted_at IS NOT NULL AS gone FROM catalog.schedules")
    assert [tuple(row) for row in rows] == [(5, False)]


async def test_every_change_of_a_trigger_is_said(
    furnished: Client, broker: BrokerVhost, database: Database
) -> None:
    path, wish = f"{DAILY}/triggers/crm", {"tables": ["in.c-crm.contacts", "in.c-crm.deals"]}
    made = await furnished.put(path, wish, status=201)
    assert made["tables"] == wish["tables"]
    same = {"tables": [*reversed(wish["tables"]), "demo/in.c-crm.deals"]}
    assert (await furnished.put(path, same, status=200))["version"] == 1
    assert (await furnished.put(path, {**wish, "cool_down_seconds": 60}))["version"] == 2
    await furnished.post(f"triggers/{made['id']}/reset", status=204)
    await furnished.delete(DAILY, status=204)
    envelopes = await said(broker, "trigger-watcher.runs", 4)
    assert {envelope["data"]["trigger_id"] for envelope in envelopes} == {made["id"]}
    row = (await database.fetch("SELECT version, reset_count, enabled FROM catalog.triggers_v1"))[0]
    assert tuple(row) == (3, 1, False)
    await furnished.put(DAILY, orchestration("one"), status=201)
    assert await database.fetchval("SELECT enabled FROM catalog.triggers_v1")


async def test_table_updates_keep_their_ids(furnished: Client, broker: BrokerVhost) -> None:
    one = await furnished.post("table-updates", {"table": "in.c-sales.orders", "id": "load-1", "rows": 5})
    assert one == {"accepted": 1, "ids": ["load-1"]}
    batch: dict[str, Any] = {"updates": [{"table": "in.c-a.x"}, {"table": "in.c-a.y", "id": "load-2"}]}
    two = await furnished.post("table-updates", batch, status=202)
    assert (two["accepted"], two["ids"][1]) == (2, "load-2")
    envelopes = await said(broker, "trigger-watcher.updates", 3)
    assert {envelope["id"] for envelope in envelopes} == {"load-1", *two["ids"]}
    assert {envelope["source"] for envelope in envelopes} == {"/api/demo"}
    first = next(envelope for envelope in envelopes if envelope["id"] == "load-1")
    assert first["data"] == {"project": "demo", "table": "in.c-sales.orders", "rows": 5, "chain_length": 0}


async def test_an_id_sent_again_at_once_is_published_again(furnished: Client, broker: BrokerVhost) -> None:
    """Consumers recognize duplicates; the outbox must accept an id that it already holds."""
    event_id = "0195f7a0-0000-7000-8000-000000000001"
    update = {"table": "in.c-a.x", "id": event_id}
    answer = await furnished.post("table-updates", {"updates": [update, update]}, status=202)
    assert answer["ids"] == [event_id, event_id]
    await furnished.post("table-updates", update, status=202)
    assert [envelope["id"] for envelope in await said(broker, "trigger-watcher.updates", 3)] == [event_id] * 3


async def test_one_id_for_two_tables_is_an_update_of_each(furnished: Client, broker: BrokerVhost) -> None:
    """Issue 8, number 34: as the id of a load that wrote both."""
    updates = [{"table": table, "id": "load-7"} for table in ("in.c-a.x", "in.c-a.y")]
    answer = await furnished.post("table-updates", {"updates": updates}, status=202)
    assert answer["ids"] == ["load-7", "load-7"]
    envelopes = await said(broker, "trigger-watcher.updates", 2)
    assert {(envelope["id"], envelope["data"]["table"]) for envelope in envelopes} == {
        ("load-7", "in.c-a.x"),
        ("load-7", "in.c-a.y"),
    }


async def test_bad_table_updates_are_refused_whole(furnished: Client, database: Database) -> None:
    batch = {"updates": [{"table": "in.c-a.x"}, {"table": "nobucket"}]}
    problem = await furnished.post("table-updates", batch, status=422)
    assert problem["errors"][0]["field"] == "updates.1.table"
    await furnished.post("table-updates", {}, status=422)
    await furnished.post("table-updates", {"table": "in.c-a.x", **batch}, status=422)
    await furnished.post("table-updates", {"updates": []}, status=422)
    assert await database.fetchval("SELECT count(*) FROM catalog.outbox") == 0


async def test_tables_of_others_only_from_shared_buckets(
    furnished: Client, broker: BrokerVhost, database: Database
) -> None:
    await furnished.post("/v1/projects", {"id": "finance"})
    path, wish = f"{DAILY}/triggers/rates", {"tables": ["finance/in.c-rates.daily"]}
    problem = await furnished.put(path, wish, status=422)
    assert problem["errors"][0]["field"] == "tables.0"
    finance = Client(furnished.http, "finance")
    await finance.put("buckets/in.c-rates/shares/demo", None, status=204)
    assert [s["shared_with"] for s in (await finance.get("buckets/in.c-rates/shares"))["items"]] == ["demo"]
    made = await furnished.put(path, wish, status=201)
    assert made["tables"] == wish["tables"]
    await finance.delete("buckets/in.c-rates/shares/demo", status=204)
    assert (await furnished.get(path))["enabled"] is False
    assert len(await said(broker, "trigger-watcher.runs", 2)) == 2
    await finance.delete("buckets/in.c-rates/shares/demo", status=404)
    await finance.put("buckets/in.c-rates/shares/finance", None, status=422)
    assert await database.fetchval("SELECT count(*) FROM catalog.shares") == 0


async def test_every_change_leaves_a_record(furnished: Client) -> None:
    await furnished.put(f"{DAILY}/schedules/early", SCHEDULE)
    await furnished.put("variables/region", {"value": "eu"})
    await furnished.put(f"{DAILY}/notifications", {"subscriptions": []})
    await furnished.post(f"{DAILY}/runs")
    entries = (await furnished.get("audit"))["items"]
    assert [entry["action"] for entry in entries[:4]] == [
        "run.requested",
        "notifications.changed",
        "variable.created",
        "schedule.created",
    ]
    assert {entry["actor"] for entry in entries} == {"admin@example.com"}
    part = await furnished.get("audit?limit=3")
    rest = await furnished.get(f"audit?limit=500&cursor={part['next']}")
    assert [*part["items"], *rest["items"]] == entries


async def test_mails_are_listed_with_the_event_they_report(furnished: Client, database: Database) -> None:
    await database.execute(MAIL, datetime(2026, 11, 21, 8, tzinfo=UTC), "schedule_missed")
    await database.execute(MAIL, datetime(2026, 11, 21, 9, tzinfo=UTC), "error")
    mails = (await furnished.get("deliveries"))["items"]
    assert [(mail["event"], mail["recipient"], mail["status"]) for mail in mails] == [
        ("error", "a@example.com", "pending"),
        ("schedule_missed", "a@example.com", "pending"),
    ]


async def test_trace_of_a_request_goes_on_in_its_messages(furnished: Client, broker: BrokerVhost) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for header in (trace, "00-nonsense\n"):
        url = "/v1/projects/demo/orchestrations/daily/runs"
        headers = {"traceparent": header.strip()}
        assert (await furnished.http.post(url, json={}, headers=headers)).status_code == 202
    first, second = await said(broker, "runner.commands", 2)
    assert (first["traceparent"], second.get("traceparent")) == (trace, None)
