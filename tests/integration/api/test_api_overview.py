"""The list of orchestrations: labels, filters, counts, and what needs attention, also among many."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.api.conftest import COMPONENT, Client, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database
from tests.support.query_plans import explained, rows_read

from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.runs.store import RunStore
from orchestrator_api.schedules.store import ScheduleStore
from orchestrator_api.triggers.store import TriggerStore
from orchestrator_shared.database.queries import Queries

DAILY = "orchestrations/daily"
MANY = 10_000


async def ids(client: Client, query: str) -> list[str]:
    return [each["id"] for each in (await client.get(f"orchestrations?{query}"))["items"]]


async def test_labels_are_saved_searched_and_counted(furnished: Client) -> None:
    plain = orchestration("one")
    before = await furnished.put(DAILY, plain)
    assert before["labels"] == []
    whole = {**plain, "labels": ["shop", "flights demo"]}
    saved = await furnished.put(DAILY, whole)
    assert (saved["labels"], saved["version"]) == (["flights demo", "shop"], before["version"])
    assert saved["changed"]
    assert saved["etag"] != before["etag"]
    assert not (await furnished.put(DAILY, whole))["changed"]
    await furnished.put("orchestrations/other", {**orchestration(), "labels": ["shop"]}, status=201)
    assert await ids(furnished, "label=shop") == ["daily", "other"]
    assert await ids(furnished, "label=shop&label=flights demo") == ["daily"]
    assert await ids(furnished, "search=FLIGHTS") == ["daily"]
    counts = await furnished.get("orchestration-counts?label=shop")
    assert counts["total"] == {"count": 2, "more": False}
    assert counts["labels"] == [
        {"label": "shop", "orchestrations": 2},
        {"label": "flights demo", "orchestrations": 1},
    ]
    await furnished.call("PATCH", DAILY, {"enabled": False})
    assert (await furnished.get(DAILY))["labels"] == ["flights demo", "shop"]
    copied = await furnished.post(f"{DAILY}/copies", {"id": "copied"}, status=201)
    assert copied["labels"] == ["flights demo", "shop"]
    for wrong in (["a,b"], [" a"], ["a", "a"], ["x" * 41], [""]):
        await furnished.put(DAILY, {**whole, "labels": wrong}, status=422)


async def test_labels_are_part_of_the_definition(furnished: Client) -> None:
    await furnished.put(DAILY, {**orchestration("one"), "labels": ["shop"]})
    documents = (await furnished.get("definitions"))["documents"]
    (written,) = [each for each in documents if each.get("orchestration") == "daily"]
    assert written["labels"] == ["shop"]
    plan = await furnished.post("definitions/plan", {"documents": [written]})
    assert {each["action"] for each in plan["changes"]} == {"unchanged"}
    planned = await furnished.post("definitions/plan", {"documents": [{**written, "labels": ["b", "a"]}]})
    (change,) = [each for each in planned["changes"] if each["action"] == "update"]
    assert change["fields"] == ["labels"]
    body = {"documents": [{**written, "labels": ["b", "a"]}], "plan_id": planned["plan_id"]}
    await furnished.post("definitions/apply", body)
    assert (await furnished.get(DAILY))["labels"] == ["a", "b"]


async def test_lists_are_filtered_by_the_last_run_and_by_what_starts_them(
    furnished: Client, database: Database
) -> None:
    for name in ("failing", "running", "waiting", "stopped", "fine"):
        await furnished.put(f"orchestrations/{name}", orchestration("one"), status=201)
    runner = Runner(database)
    await runner.connect()
    last = {"failing": "error", "running": "processing", "waiting": "ready", "stopped": "cancelled"}
    for name, status in {**last, "fine": "success"}.items():
        await runner.job(name, 1, "error", component="orchestrator")
        await runner.job(name, 2, status, component="orchestrator", attempt=0)
    await furnished.put(f"{DAILY}/schedules/s", {"cron": "0 5 * * *"}, status=201)
    await furnished.put("orchestrations/fine/triggers/t", {"tables": ["in.c-x.t"]}, status=201)
    await furnished.call("PATCH", "orchestrations/fine", {"enabled": False})
    assert await ids(furnished, "status=failed") == ["failing"]
    assert await ids(furnished, "status=running&status=waiting") == ["running", "waiting"]
    assert await ids(furnished, "status=stopped") == ["stopped"]
    assert await ids(furnished, "status=never_run") == ["daily"]
    assert await ids(furnished, "starts=time") == ["daily"]
    assert await ids(furnished, "starts=tables&enabled=false") == ["fine"]
    assert await ids(furnished, "starts=manual&sort=-name") == ["waiting", "stopped", "running", "failing"]
    first = await furnished.get("orchestrations?starts=manual&limit=1")
    assert await ids(furnished, f"starts=manual&limit=1&cursor={first['next']}") == ["running"]
    counts = await furnished.get("orchestration-counts")
    assert {name: each["count"] for name, each in counts.items() if name != "labels"} == {
        "total": 6,
        "failed": 1,
        "running": 1,
        "waiting": 1,
        "never_run": 1,
        "disabled": 1,
        "by_time": 1,
        "by_tables": 1,
        "manual": 4,
    }
    await furnished.get("orchestrations?status=ready", status=422)


async def attention(client: Client) -> list[Any]:
    return [(each["kind"], each["summary"]) for each in (await client.get("attention"))["items"]]


async def test_a_failure_needs_attention_until_a_later_run_goes_well(
    furnished: Client, database: Database
) -> None:
    assert await furnished.get("attention") == {"items": [], "more": 0}
    runner = Runner(database)
    failed = await runner.job("daily", 7, "error", component="orchestrator", message="1 task failed")
    job = await runner.job("one", 1, "error", parent=failed, message="no such file")
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'Load', 0)", failed
    )
    await database.execute(
        "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,"
        " continue_on_failure, status, job_id, lane_id, active)"
        " SELECT $1, 0, 0, 'one', 'The first', 'demo-extractor', 'one', '{}', false, 'error', id, lane_id,"
        " true FROM jobs.jobs WHERE id = $2",
        failed,
        job,
    )
    (found,) = (await furnished.get("attention"))["items"]
    assert (found["kind"], found["summary"]) == ("failed", "daily #7 failed in The first")
    assert (found["job_id"], found["task"], found["message"]) == (str(failed), "one", "no such file")
    await runner.job("daily", 8, "cancelled", component="orchestrator", attempt=0, started_at=None)
    assert len(await attention(furnished)) == 1
    await runner.job("daily", 9, "success", component="orchestrator")
    assert await attention(furnished) == []


async def test_failures_beyond_the_limit_are_counted(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    now = datetime.now(UTC)
    for number in range(7):
        name = f"o{number}"
        await furnished.put(f"orchestrations/{name}", orchestration("one"), status=201)
        await runner.job(
            name, 1, "error", component="orchestrator", finished_at=now - timedelta(hours=number)
        )
    await furnished.delete("orchestrations/o6")
    found = await furnished.get("attention?limit=4")
    assert [each["orchestration"] for each in found["items"]] == ["o0", "o1", "o2", "o3"]
    assert found["more"] == 2


async def test_runs_that_wait_long_and_missed_fires_need_attention(
    furnished: Client, database: Database
) -> None:
    runner = Runner(database)
    await runner.connect()
    now = datetime.now(UTC)
    ended = {"accepted_at": now - timedelta(days=1), "started_at": now - timedelta(days=1, seconds=-30)}
    for number in range(1, 7):
        times = {**ended, "finished_at": now - timedelta(days=1, seconds=-90)}
        await runner.job("daily", number, "success", component="orchestrator", **times)
    waiting = {"accepted_at": now - timedelta(minutes=12)}
    await runner.job("daily", 7, "ready", component="orchestrator", **waiting)
    saved = await furnished.put(f"{DAILY}/schedules/s", {"cron": "0 5 * * *"}, status=201)
    schedule = UUID(saved["id"])
    await _fire(database, schedule, "missed", now - timedelta(hours=3))
    assert [kind for kind, _ in await attention(furnished)] == ["waiting_long", "schedule_missed"]
    assert (await attention(furnished))[0][1] == "daily #7 has waited for 12 min, usually 30 s"
    await _fire(database, schedule, "requested", now - timedelta(hours=1))
    assert [kind for kind, _ in await attention(furnished)] == ["waiting_long"]
    await database.execute(
        "INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, next_at, next_key, anchor)"
        " VALUES ($1, 'demo', 1, true, $2, 'k', $2)",
        schedule,
        now - timedelta(minutes=5),
    )
    assert [kind for kind, _ in await attention(furnished)] == ["waiting_long", "schedule_overdue"]


async def _fire(database: Database, schedule: UUID, outcome: str, at: datetime) -> None:
    await database.execute(
        "INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version, scheduled_for,"
        " at, outcome, job_id) VALUES ($1, $2, 'demo', 'daily', 1, $3, $3, $4, $5)",
        schedule,
        str(at),
        at,
        outcome,
        uuid4() if outcome == "requested" else None,
    )


async def _fill(database: Database) -> None:
    """Ten thousand orchestrations of ten runs, each with a schedule; every hundredth has failed last."""
    await database.execute(
        "INSERT INTO catalog.configurations (project, component, id, name, version)"
        " SELECT 'demo', 'orchestrator', 'o' || n, 'O ' || n, 1 FROM generate_series(1, $1::int) AS n",
        MANY,
    )
    await database.execute(
        "INSERT INTO catalog.configuration_versions (project, component, configuration, version, parameters,"
        " author) SELECT project, component, id, 1, '{\"phases\": []}', 'test'"
        " FROM catalog.configurations WHERE id ~ '^o[0-9]+$'"
    )
    await database.execute(
        "INSERT INTO catalog.schedules (id, project, orchestration, name, cron)"
        " SELECT gen_random_uuid(), 'demo', 'o' || n, 's', '0 5 * * *' FROM generate_series(1, $1::int) AS n",
        MANY,
    )
    await database.execute(
        "INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version, scheduled_for,"
        " outcome, job_id) SELECT s.id, 'k' || n, s.project, s.orchestration, 1,"
        " now() - n * interval '1 day', 'requested', gen_random_uuid()"
        " FROM catalog.schedules s, generate_series(1, 5) AS n"
    )
    await database.execute(
        "INSERT INTO jobs.lanes (project, component, configuration)"
        " SELECT project, component, id FROM catalog.configurations WHERE id ~ '^o[0-9]+$'"
    )
    await database.execute(
        "WITH made AS (SELECT l.*, n, gen_random_uuid() AS job,"
        "   CASE WHEN n = 10 AND l.id % 100 = 0 THEN 'error' ELSE 'success' END AS status"
        "   FROM jobs.lanes l, generate_series(1, 10) AS n WHERE l.configuration ~ '^o[0-9]+$')"
        " INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin,"
        "   root_id, depth, scheduled_for, requested_at, started_at, finished_at, attempt, error_kind)"
        " SELECT job, id, n, project, component, configuration, 'run', status, 'schedule', job, 0, now(),"
        "   now(), now(), now(), 1, CASE status WHEN 'error' THEN 'user' END FROM made"
    )
    await database.execute(
        "INSERT INTO catalog.triggers (id, project, orchestration, name)"
        " SELECT gen_random_uuid(), 'demo', 'o' || n, 't' FROM generate_series(1, $1::int) AS n",
        MANY,
    )
    await database.execute(
        "INSERT INTO catalog.trigger_tables SELECT id, 'demo', 'in.c-a.' || orchestration"
        " FROM catalog.triggers"
    )
    await database.execute(
        "INSERT INTO triggers.states (trigger_id, project, orchestration, name, version, enabled,"
        " cool_down_seconds, mode) SELECT id, project, orchestration, name, 1, true, 0, 'ignore'"
        " FROM catalog.triggers ON CONFLICT DO NOTHING"
    )
    await database.execute(
        "INSERT INTO triggers.counts (trigger_id, table_project, table_name, counted, used)"
        " SELECT trigger_id, table_project, table_name, 20, 20 FROM catalog.trigger_tables"
        " ON CONFLICT DO NOTHING"
    )
    await database.execute(
        "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at)"
        " SELECT table_project, table_name, 20, now() FROM catalog.trigger_tables"
        " ON CONFLICT (project, name) DO UPDATE SET last_seq = 20, last_heard_at = now()"
    )
    await database.execute(
        "INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)"
        " SELECT project, 's', name || '/' || n, name, n, now() - (20 - n) * interval '1 hour'"
        " FROM triggers.tables, generate_series(1, 20) AS n"
    )
    await database.execute("ANALYZE")


async def _read(database: Database, queries: Queries, name: str, **given: str) -> float:
    """How many rows a statement reads, each value given as SQL."""
    async with database.connection() as connection:
        arguments = ", ".join(given[each] for each in queries.parameters(name))
        return rows_read(await explained(connection, queries[name], arguments))


async def test_what_the_list_asks_reads_little_among_ten_thousand_orchestrations(
    furnished: Client, database: Database
) -> None:
    await _fill(database)
    runs, schedules, catalog = RunStore.queries, ScheduleStore.queries, ConfigurationStore.queries
    most = {"project": "'demo'", "limit": "1000"}
    assert await _read(database, runs, "unsolved_failures", **most) <= 5 * MANY / 100
    assert await _read(database, runs, "long_unfinished_runs", seconds="60", **most) <= 100
    assert await _read(database, schedules, "missed_schedules", overdue_seconds="120", **most) <= 100
    quiet = {"project": "'demo'", "limit": "300"}
    assert await _read(database, TriggerStore.queries, "quiet_tables", **quiet) <= 7 * MANY
    none = {"search": "NULL", "labels": "NULL"}
    counted = await _read(
        database, catalog, "counts_of_orchestrations", project="'demo'", looked="10000", **none
    )
    assert counted <= 5 * MANY, "a few lookups for each orchestration, whatever the number of its runs"
    page = {
        **none,
        "project": "'demo'",
        "component": "'orchestrator'",
        "enabled": "NULL",
        "starts": "'time'",
        "statuses": "'{success}'",
        "type": "NULL",
        "after_component": "NULL",
        "after": "NULL",
        "limit": "101",
    }
    assert await _read(database, catalog, "configurations_by_id", **page) <= 10 * 101
    counts = await furnished.get("orchestration-counts")
    assert counts["by_time"] == {"count": 1000, "more": True}
    assert counts["failed"] == {"count": MANY // 100, "more": True}
    found = await furnished.get("attention?limit=50")
    assert (len(found["items"]), found["more"]) == (50, MANY // 100 - 50)


async def test_configurations_are_listed_with_what_runs_them(furnished: Client, database: Database) -> None:
    await furnished.put("/v1/components/demo-writer", {**COMPONENT, "type": "writer"}, status=201)
    await furnished.put("configurations/demo-writer/file", {"parameters": {}}, status=201)
    await furnished.put("orchestrations/daily", orchestration("one"))
    await furnished.put("orchestrations/hourly", orchestration("one", "two"), status=201)
    runner = Runner(database)
    await runner.connect()
    for number, status in ((1, "error"), (2, "success")):
        await runner.job("one", number, status, component="demo-extractor", kind="component")
    items = (await furnished.get("configuration-overview"))["items"]
    assert [(each["component"], each["id"], each["used_in"]) for each in items] == [
        ("demo-extractor", "one", 2),
        ("demo-extractor", "two", 1),
        ("demo-writer", "file", 0),
    ]
    assert [each["last_job"] and each["last_job"]["status"] for each in items] == ["success", None, None]
    writers = await furnished.get("configuration-overview?type=writer")
    assert [each["id"] for each in writers["items"]] == ["file"]
    assert [each["id"] for each in (await furnished.get("configurations?type=writer"))["items"]] == ["file"]
    page = await furnished.get("configuration-overview?limit=2")
    rest = await furnished.get(f"configuration-overview?limit=2&cursor={page['next']}")
    assert [each["id"] for each in (*page["items"], *rest["items"])] == ["one", "two", "file"]
    counts = await furnished.get("configuration-counts")
    assert counts["total"] == 3
    assert {each["id"]: each["configurations"] for each in counts["components"]} == {
        "demo-extractor": 2,
        "demo-writer": 1,
    }
