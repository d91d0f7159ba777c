"""Jobs as the runner's tables have them: listed, explained, with tasks and logs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.api.conftest import Client
from tests.support.databases import Database

from orchestrator_api.runs.store import RunStore


class Runner:
    """Writes what a runner would write."""

    def __init__(self, database: Database, project: str = "demo") -> None:
        self.database = database
        self.project = project
        self.replica = uuid4()

    async def connect(self) -> None:
        await self.database.execute(
            "INSERT INTO jobs.replicas (id, name, slots, lease_until) "
            "VALUES ($1, 'r', 1, now() + interval '1 minute')",
            self.replica,
        )

    async def lane(self, component: str, configuration: str) -> int:
        return int(
            await self.database.fetchval(
                "INSERT INTO jobs.lanes (project, component, configuration) VALUES ($1, $2, $3) "
                "ON CONFLICT (project, component, configuration) DO UPDATE SET next_seq = 1 RETURNING id",
                self.project,
                component,
                configuration,
            )
        )

    async def job(self, configuration: str, number: int, status: str, **more: Any) -> UUID:
        component = more.pop("component", "demo-extractor")
        active, over = status in ("processing", "terminating"), status in ("success", "error", "cancelled")
        now: datetime = await self.database.fetchval("SELECT clock_timestamp()")
        job_id = more.pop("id", uuid4())
        parent = more.pop("parent", None)
        row = {
            "id": job_id,
            "lane_id": await self.lane(component, configuration),
            "seq": number,
            "project": self.project,
            "component": component,
            "configuration": configuration,
            "kind": "run" if component == "orchestrator" else "component",
            "status": status,
            "origin": "manual",
            "parent_id": parent,
            "root_id": parent or job_id,
            "depth": 1 if parent else 0,
            "scheduled_for": now,
            "requested_at": now,
            "due_at": now,
            "ready_at": now if status == "ready" else None,
            "started_at": now if active or over else None,
            "finished_at": now if over else None,
            "attempt": 1 if active or over else 0,
            "replica_id": self.replica if active else None,
            "error_kind": "user" if status == "error" else None,
            **more,
        }
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        await self.database.execute(
            f"INSERT INTO jobs.jobs ({', '.join(row)}) VALUES ({places})", *row.values()
        )
        return UUID(str(job_id))


async def test_waiting_jobs_show_why(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    first = await runner.job("one", 1, "ready")
    assert (await furnished.get(f"jobs/{first}"))["waiting"]["reason"] == "no_runner"
    await runner.connect()
    shown = await furnished.get(f"jobs/{first}")
    assert (shown["status"], shown["waiting"]["reason"]) == ("waiting", "no_free_slot")
    second, third = await runner.job("one", 2, "waiting"), await runner.job("one", 3, "waiting")
    waiting = (await furnished.get(f"jobs/{third}"))["waiting"]
    assert (waiting["reason"], waiting["place"]) == ("configuration_busy", 3)
    assert waiting["holder"]["id"] == str(first)
    later = {"delayed": True, "due_at": datetime.now(UTC) + timedelta(minutes=1)}
    for number, attempt in ((1, 1), (2, 0)):  # a job's next attempt; that of a nested run is another run
        delayed = await runner.job("two", number, "waiting", attempt=attempt, **later)
        assert (await furnished.get(f"jobs/{delayed}"))["waiting"]["reason"] == "next_attempt_delayed"
    listed = {job["id"]: job["waiting"]["reason"] for job in (await furnished.get("jobs"))["items"]}
    assert listed[str(second)] == "configuration_busy"
    assert len(listed) == 5


async def test_a_job_between_two_attempts_blocks_no_other_job(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    later = {"attempt": 1, "delayed": True, "due_at": datetime.now(UTC) + timedelta(minutes=1)}
    delayed = await runner.job("one", 1, "waiting", **later)
    second, third = await runner.job("one", 2, "ready"), await runner.job("one", 3, "waiting")
    shown = {job["id"]: job["waiting"] for job in (await furnished.get("jobs"))["items"]}
    assert (shown[str(second)]["reason"], shown[str(second)]["place"]) == ("no_free_slot", 1)
    assert (shown[str(third)]["holder"]["id"], shown[str(third)]["place"]) == (str(second), 2)
    assert shown[str(delayed)]["reason"] == "next_attempt_delayed"


async def test_waiting_jobs_are_explained_without_a_look_at_all_that_ended(
    furnished: Client, database: Database
) -> None:
    """The lane's history is read once, not once per waiting job."""
    runner = Runner(database)
    first = await runner.job("one", 1, "success")
    same = (
        "lane_id, project, component, configuration, kind, status, origin, root_id, scheduled_for,"
        " requested_at, started_at, finished_at, attempt"
    )
    await database.execute(
        f"INSERT INTO jobs.jobs (id, seq, {same}) SELECT gen_random_uuid(), n, {same}"
        " FROM jobs.jobs, generate_series(2, 2000) AS n WHERE id = $1",
        first,
    )
    waiting = [await runner.job("one", number, "waiting") for number in range(2001, 2021)]
    await database.execute("ANALYZE")
    query = RunStore.queries["waiting_facts"]
    arguments = RunStore.queries.arguments("waiting_facts", {"project": "demo", "ids": waiting})
    (row,) = await database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *arguments)
    assert rows_removed(json.loads(row[0])[0]["Plan"]) < 2 * 2020


def rows_removed(plan: dict[str, Any]) -> float:
    """How many rows a query plan read and discarded."""
    own = plan.get("Rows Removed by Filter", 0) * plan.get("Actual Loops", 1)
    return float(own + sum(rows_removed(each) for each in plan.get("Plans", [])))


async def test_project_limit_is_a_reason(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    await database.execute("UPDATE catalog.projects SET parallel_limit = 1")
    await runner.job("one", 1, "processing")
    held = await runner.job("two", 1, "ready")
    waiting = (await furnished.get(f"jobs/{held}"))["waiting"]
    assert (waiting["reason"], waiting["holder"]) == ("project_limit", None)


async def test_lists_filter_and_come_in_parts(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    root = await runner.job("daily", 1, "processing", component="orchestrator")
    child = await runner.job("one", 1, "success", parent=root)
    failed = await runner.job("two", 1, "error", message="no such file")
    accepted = await furnished.post("orchestrations/daily/runs")
    everything = [job["id"] for job in (await furnished.get("jobs"))["items"]]
    assert everything[0] == accepted["job_id"]
    assert set(everything) == {accepted["job_id"], str(root), str(child), str(failed)}

    async def ids(query: str) -> list[str]:
        return [job["id"] for job in (await furnished.get(f"jobs?{query}"))["items"]]

    assert await ids("status=error") == [str(failed)]
    assert await ids("status=created") == [accepted["job_id"]]
    assert await ids(f"parent={root}") == [str(child)]
    assert set(await ids(f"root={root}")) == {str(root), str(child)}
    assert await ids("component=demo-extractor&configuration=one") == [str(child)]
    assert await ids("origin=api") == []
    part = await furnished.get("jobs?limit=2")
    rest = await furnished.get(f"jobs?limit=2&cursor={part['next']}")
    assert [job["id"] for job in [*part["items"], *rest["items"]]] == everything
    assert rest["next"] is None
    runs = (await furnished.get("orchestrations/daily/runs"))["items"]
    assert {job["id"] for job in runs} == {accepted["job_id"], str(root)}
    assert (await furnished.get("orchestrations/daily"))["last_run"]["id"] == str(root)


async def test_accepted_request_is_one_job(furnished: Client, database: Database) -> None:
    accepted = await furnished.post("orchestrations/daily/runs", key="k")
    await Runner(database).job("daily", 42, "waiting", component="orchestrator", id=UUID(accepted["job_id"]))
    listed = (await furnished.get("jobs"))["items"]
    assert [(job["status"], job["number"]) for job in listed] == [("waiting", 42)]
    again = await furnished.post("orchestrations/daily/runs", key="k")
    assert (again["status"], again["number"]) == ("waiting", 42)


async def test_finished_job_is_not_stopped(furnished: Client, database: Database) -> None:
    job = await Runner(database).job("one", 1, "success")
    problem = await furnished.post(f"jobs/{job}/termination", status=409)
    assert "success" in problem["detail"]


async def test_tasks_of_a_run(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    run = await runner.job("daily", 1, "processing", component="orchestrator")
    child = await runner.job("one", 1, "processing", parent=run)
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 0, 'A', 1)", run
    )
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining) VALUES ($1, 1, 'B', 1)", run
    )
    insert = (
        "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,"
        " continue_on_failure, status, job_id, active, lane_id)"
        " VALUES ($1, $2, 0, $3, $3, 'demo-extractor', $3, '{}', false, $4, $5, true, $6)"
    )
    await database.execute(
        insert, run, 0, "one", "started", child, await runner.lane("demo-extractor", "one")
    )
    await database.execute(insert, run, 1, "two", "pending", None, await runner.lane("demo-extractor", "two"))
    phases = (await furnished.get(f"jobs/{run}/tasks"))["phases"]
    assert [phase["name"] for phase in phases] == ["A", "B"]
    assert phases[0]["tasks"][0]["job"]["id"] == str(child)
    assert phases[0]["tasks"][0]["job"]["status"] == "processing"
    assert phases[1]["tasks"][0]["job"] is None
    assert phases[0]["tasks"][0]["job"]["tables_written"] == []
    written = json.dumps([{"table": "b"}, {"table": "a"}, {"rows": 3}])
    await database.execute("UPDATE jobs.jobs SET output_tables = $2 WHERE id = $1", child, written)
    phases = (await furnished.get(f"jobs/{run}/tasks"))["phases"]
    assert phases[0]["tasks"][0]["job"]["tables_written"] == ["a", "b"]


async def test_a_run_tells_its_updates_its_tables_and_whose_rights_it_had(
    furnished: Client, database: Database
) -> None:
    table = "in.c-crm.contacts"
    trigger = {"tables": [table], "cool_down_seconds": 60}
    await furnished.put("orchestrations/daily/triggers/crm", trigger, status=201)
    ((trigger_id, token_id),) = await database.fetch(
        "SELECT t.id, o.token_id FROM catalog.triggers t"
        " JOIN catalog.orchestration_tokens o USING (project, orchestration)"
    )
    runner = Runner(database)
    asked = {"origin": "trigger", "trigger_id": trigger_id, "token_id": token_id}
    run = await runner.job("daily", 1, "success", component="orchestrator", **asked)
    written = json.dumps([{"table": "out.c-shop.orders"}, {"table": "out.c-shop.returns"}])
    child = await runner.job("one", 1, "success", parent=run, output_tables=written, token_id=token_id)
    await database.execute(
        "INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables)"
        " VALUES ($1, 1, $2, now(), $3)",
        trigger_id,
        run,
        json.dumps([{"project": "demo", "table": table, "seq": 7, "heard_at": "2026-11-30T05:40:00Z"}]),
    )
    shown = await furnished.get(f"jobs/{run}")
    update = {"table": table, "seq": 7, "event_id": None, "source": None, "heard_at": "2026-11-30T05:40:00Z"}
    assert shown["updates_used"] == [update]
    await database.execute(
        "INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)"
        " VALUES ('demo', '/loaders', 'e7', $1, 7, '2026-11-30T05:39:58Z')",
        table,
    )
    await database.execute(
        "INSERT INTO triggers.dispositions (trigger_id, project, table_name, seq, disposition, at)"
        " VALUES ($1, 'demo', $2, 7, 'completed', '2026-11-30T05:39:58Z')",
        trigger_id,
        table,
    )
    shown = await furnished.get(f"jobs/{run}")
    assert shown["updates_used"] == [
        update | {"event_id": "e7", "source": "/loaders", "heard_at": "2026-11-30T05:39:58Z"}
    ]
    assert shown["ran_as"] == {"kind": "orchestration", "name": "daily"}
    assert shown["tables_written"] == ["out.c-shop.orders", "out.c-shop.returns"]
    job = await furnished.get(f"jobs/{child}")
    assert (job["tables_written"], job["updates_used"]) == (shown["tables_written"], [])
    waiting = await runner.job("two", 1, "waiting", token_id=token_id)
    assert (await furnished.get(f"jobs/{waiting}"))["ran_as"] is None


async def test_a_large_log_comes_in_answers_of_bounded_size(furnished: Client, database: Database) -> None:
    job = await Runner(database).job("one", 1, "success")
    await database.execute(
        """INSERT INTO jobs.logs SELECT $1, 1, n, 'stdout', now(), repeat('x', 65536)
           FROM generate_series(1, 100) AS n""",
        job,
    )
    sizes, after = [], ""
    while True:
        part = await furnished.get(f"jobs/{job}/log?limit=500{after}")
        sizes.append(len(part["chunks"]))
        if part["finished"]:
            break
        after = f"&after={part['next']}"
    assert sizes == [64, 36]


async def test_log_is_read_on(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    await runner.connect()
    job = await runner.job("one", 1, "processing")
    insert = "INSERT INTO jobs.logs VALUES ($1, $2, $3, 'stdout', now(), $4)"
    for attempt, seq in ((1, 1), (1, 2), (2, 1)):
        await database.execute(insert, job, attempt, seq, f"{attempt}.{seq}\n")
    part = await furnished.get(f"jobs/{job}/log?limit=2")
    assert ([chunk["text"] for chunk in part["chunks"]], part["next"]) == (["1.1\n", "1.2\n"], "1:2")
    rest = await furnished.get(f"jobs/{job}/log?limit=2&after={part['next']}")
    assert ([chunk["text"] for chunk in rest["chunks"]], rest["finished"]) == (["2.1\n"], False)
    await database.execute("UPDATE jobs.jobs SET status = 'success', finished_at = now() WHERE id = $1", job)
    end = await furnished.get(f"jobs/{job}/log?after={rest['next']}")
    assert end == {"chunks": [], "next": "2:1", "finished": True}


async def test_secrets_in_parameters_are_masked(furnished: Client, database: Database) -> None:
    job = await Runner(database).job("one", 1, "success", parameters='{"#password": "enc:v1:x", "rows": 1}')
    assert (await furnished.get(f"jobs/{job}"))["parameters"] == {"#password": "***", "rows": 1}
    await furnished.put(
        "configurations/demo-extractor/one", {"parameters": {"rows": 5, "#password": "hunter2"}}
    )
    await database.execute("""UPDATE jobs.jobs SET version = 2, parameters = '{"rows": 7}'""")
    shown = await furnished.get(f"jobs/{job}")
    assert shown["parameters_as_run"] == {"#password": "***", "rows": 7}
    assert shown["parameters"] == {"rows": 7}
    secret = {"demo-extractor/one": {"#password": "hunter2"}}
    accepted = await furnished.post("orchestrations/daily/runs", {"parameters": secret})
    assert (await furnished.get(f"jobs/{accepted['job_id']}"))["parameters"] == {
        "demo-extractor/one": {"#password": "***"}
    }
    assert "hunter2" not in await database.fetchval("SELECT parameters::text FROM catalog.run_requests")


async def test_the_runs_of_an_orchestration_are_counted_by_how_they_ended(
    admin: Client, database: Database
) -> None:
    await admin.put("orchestrations/counted", {"phases": []}, status=201)
    runner = Runner(database)
    await runner.connect()
    assert await admin.get("orchestrations/counted/run-counts") == {
        "total": 0,
        "successful": 0,
        "failed": 0,
        "more": False,
    }
    for number, status in enumerate(("success", "success", "error", "error", "processing"), 1):
        await runner.job("counted", number, status, component="orchestrator")
    assert await admin.get("orchestrations/counted/run-counts") == {
        "total": 5,
        "successful": 2,
        "failed": 2,
        "more": False,
    }
    await admin.get("orchestrations/ghost/run-counts", status=404)
