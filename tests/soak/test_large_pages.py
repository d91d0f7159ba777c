"""Pages about very much: how long each computes in the event loop, where everyone else waits for it.

What is shown is the processor time of the loop's thread in its longest turn, whatever else the machine does.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from tests.integration.api.conftest import ADMIN_TOKEN, COMPONENT, Client, running, settings_on
from tests.integration.api.conftest import shared_database as shared_database
from tests.integration.api.conftest import vhost as vhost
from tests.integration.api.tenants import Tenants, two_tenants
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_web_access_table import people
from tests.integration.api.test_web_hostile_forms import opened
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

TASKS, PART = 10_000, 5_000
PAGES = {
    "board of 10,000 tasks": "/orchestrations/large/tasks",
    "orchestration of 10,000 tasks": "/orchestrations/large",
    "run dialog of 10,000 tasks": "/orchestrations/large/runs/new",
    "settings of a task of 10,000": "/orchestrations/large/tasks/settings?task=t1",
    "adding tasks to 10,000": "/orchestrations/large/tasks/add",
    "grouping 10,000 tasks": "/orchestrations/large/tasks/group",
    "run of 5,000 tasks": "/orchestrations/long/runs/9",
    "run of 5,000 tasks as a list": "/orchestrations/long/runs/9?view=list",
    "retry of 5,000 tasks": "/orchestrations/long/runs/9/retry",
    "terminate a run": "/orchestrations/long/runs/9/termination",
    "lanes of 5,000 jobs": "/jobs",
    "lanes of 5,000 jobs, lanes": "/jobs?view=lanes",
    "jobs by 1,000 terms": "/jobs?q=" + "+".join(["status:error"] * 1000),
    "comparison of 8 MB": "/configurations/open-extractor/huge/versions/1...2",
    "configuration of 8 MB": "/configurations/open-extractor/huge",
    "editor of 8 MB": "/configurations/open-extractor/huge/edit",
    "editor of 5,000 fields": "/configurations/wide-extractor/-/new?name=x",
    "configuration of 5,000 fields": "/configurations/wide-extractor/wide",
    "editor with 5,000 values": "/configurations/wide-extractor/wide/edit",
    "component of 5,000 fields": "components/wide-extractor",
    "5,000 orchestrations with labels": "/orchestrations",
    "5,000 variables": "/variables",
    "5,000 members": "/members",
    "5,000 tokens": "/tokens",
    "new token among 5,000 orchestrations": "/tokens/new",
    "5,000 tables": "/tables",
    "new trigger among 5,000 tables": "/orchestrations/daily/new-trigger",
    "search": "/search?q=o",
    "notifications": "/orchestrations/large/notifications",
    "audit": "/audit",
    "versions": "/orchestrations/large/versions",
    "compare versions": "/orchestrations/large/versions/1...2",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Tenants]:
    settings = settings_on(shared_database, vhost)
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        demo = Client(http)
        made = await two_tenants(api.app, demo, shared_database)
        await _large(demo, shared_database)
        yield made


together = pytest.mark.asyncio(loop_scope="module")


async def _large(demo: Client, database: Database) -> None:
    task = {"component": "demo-extractor", "configuration": "one"}
    tasks = [{**task, "id": f"t{number}"} for number in range(TASKS)]
    phases = [{"name": f"P{index}", "tasks": tasks[index::20]} for index in range(20)]
    await demo.put("orchestrations/large", {"phases": phases}, status=201)
    await demo.put("orchestrations/large", {"phases": phases[:19]}, headers={"If-Match": "*"})
    await demo.put("orchestrations/large", {"phases": phases}, headers={"If-Match": "*"})
    await demo.put(
        "/v1/components/open-extractor", {**COMPONENT, "name": "Open", "parameters": {}}, status=201
    )
    for version in range(2):
        rows = {f"key{number}": f"{version} {number} " + "x" * 40 for number in range(14_000)}
        body = {"parameters": {"settings": rows}}
        await demo.put(
            "configurations/open-extractor/huge",
            body,
            status=None,
            headers={"If-Match": "*"} if version else {},
        )
    await _wide(demo)
    await demo.put("orchestrations/long", {"phases": [{"name": "P", "tasks": tasks[:PART]}]}, status=201)
    await _run(database)
    await _many(database)


async def _wide(demo: Client) -> None:
    fields = {f"f{number}": {"type": "string", "title": f"Field {number}"} for number in range(PART)}
    schema = {"type": "object", "properties": fields}
    component = {**COMPONENT, "name": "Wide", "parameters": schema}
    await demo.put("/v1/components/wide-extractor", component, status=201)
    body = {"parameters": dict.fromkeys(fields, "x")}
    await demo.put("configurations/wide-extractor/wide", body, status=201)


async def _run(database: Database) -> None:
    """A run of many tasks that failed, and as many jobs that wait in one lane."""
    runner = Runner(database)
    await runner.connect()
    run = await runner.job("long", 9, "error", component="orchestrator", version=1)
    lane = await runner.lane("demo-extractor", "one")
    await database.execute(
        "INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)"
        " VALUES ($1, 0, 'P', 0, now() - interval '1 h', now())",
        run,
    )
    await database.execute(FAILED_JOBS, run, lane, PART - 1)
    await database.execute(FAILED_TASKS, run)
    await database.execute(WAITING_JOBS, lane, PART - 1)


FAILED_JOBS = """
    INSERT INTO jobs.jobs (
        id, lane_id, seq, project, component, configuration, kind, status, origin,
        parent_id, root_id, depth, task_id,
        scheduled_for, requested_at, accepted_at, due_at, ready_at, started_at, finished_at,
        attempt, error_kind,
        message)
    SELECT gen_random_uuid(), $2::bigint, 1000 + n, 'demo', 'demo-extractor', 'one',
    'component', 'error', 'parent',
           $1::uuid, $1::uuid, 1, 't' || n, now(), now(), now(), now(), now(), now(),
           now(), 1, 'user', 'it failed'
    FROM generate_series(0, $3::integer) n"""
FAILED_TASKS = """
    INSERT INTO jobs.tasks (
        run_id, phase, position, task_id, name, component, configuration, request,
        continue_on_failure, status, job_id,
        lane_id, active)
    SELECT parent_id, 0, row_number() OVER (), task_id, task_id, component, configuration, '{}',
    false, 'error', id,
           lane_id, true
    FROM jobs.jobs WHERE parent_id = $1::uuid"""
WAITING_JOBS = """
    INSERT INTO jobs.jobs (
        id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
        depth, scheduled_for,
        requested_at, accepted_at, due_at, attempt)
    SELECT id, $1::bigint, 10000 + n, 'demo', 'demo-extractor', 'one', 'component', 'waiting',
    'manual', id, 0, now(),
           now(), now(), now(), 0
    FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(0, $2::integer) n) new"""
COPIES = {
    "variables": ("project = 'demo'", "'name', 'v' || n"),
    "configurations": (
        "project = 'demo' AND id = 'daily'",
        "'id', 'o' || n, 'name', 'Orchestration ' || n, 'labels', jsonb_build_array('label ' || n)",
    ),
    "configuration_versions": (
        "project = 'demo' AND configuration = 'daily' AND version = 1",
        "'configuration', 'o' || n",
    ),
}
"""Of one row of each table, many with another name."""


async def _many(database: Database) -> None:
    for table, (like, change) in COPIES.items():
        copied = f"to_jsonb(old) || jsonb_build_object({change})"
        await database.execute(
            f"INSERT INTO catalog.{table} SELECT (jsonb_populate_record(NULL::catalog.{table}, {copied})).*"
            f" FROM (SELECT * FROM catalog.{table} WHERE {like} LIMIT 1) old, generate_series(1, {PART}) n"
        )


class Turns:
    """The longest turn of the loop."""

    def __init__(self) -> None:
        self.longest = 0.0


@contextmanager
def watched() -> Iterator[Turns]:
    """Watches the turns of the event loop."""
    turns, run = Turns(), asyncio.events.Handle._run

    def timed(handle: Any) -> None:
        begin = time.thread_time()
        run(handle)
        spent = time.thread_time() - begin
        if spent > turns.longest:
            turns.longest = spent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.events.Handle, "_run", timed)
        yield turns


@together
async def test_large_pages_hold_the_loop_shortly(tenants: Tenants) -> None:
    caller = people(tenants)["admin"]
    for name, path in PAGES.items():
        url = f"/projects/demo{path}" if path.startswith("/") else f"/{path}"
        await opened(tenants, caller, url)  # templates are compiled when they are first needed
        with watched() as turns:
            began = time.perf_counter()
            answer = await opened(tenants, caller, url)
            took = time.perf_counter() - began
        size = len(answer.text) / 1000
        print(f"{turns.longest * 1000:6.1f} ms held, {took * 1000:6.0f} ms, {size:8.1f} kB  {name}")
        assert answer.status < 500, name


@together
async def test_others_are_served_while_one_person_asks_for_the_largest_pages(tenants: Tenants) -> None:
    greedy, other = people(tenants)["admin"], people(tenants)["viewer"]
    heavy = [f"/projects/demo{path}" for path in list(PAGES.values())[:10]] * 5
    many = asyncio.gather(*(opened(tenants, greedy, url) for url in heavy))
    waits, statuses = [], list[int]()
    while not many.done():
        began = time.perf_counter()
        statuses.append((await opened(tenants, other, "/projects/demo/variables")).status)
        waits.append(time.perf_counter() - began)
    told = sorted(waits)
    median, longest = told[len(told) // 2] * 1000, told[-1] * 1000
    print(f"50 large pages: {Counter(each.status for each in await many)}; a light page of someone else")
    print(f"meanwhile, {len(told)} times: {median:.0f} ms, at most {longest:.0f} ms")
    assert set(statuses) == {200}
