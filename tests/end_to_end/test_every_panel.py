"""Every query of every dashboard finds something: on real services under load, in a real Prometheus.

Grafana itself is not there; its variables and macros are filled in here.
"""

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest
import pytest_asyncio
from tests.support import servers
from tests.support.databases import Database, database_url
from tests.support.documentation import ROOT
from tests.support.monitoring import Prometheus, postgres_exporter, prometheus
from tests.support.stack import PROJECT, Stack
from tests.support.stack_settings import MODULES
from tests.support.waiting import eventually

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.templates import quote_identifier, quote_literal, render

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]

WATCHED = """
orchestration: watched
phases:
  - {name: Load, tasks: [{run: load/watched}]}
  - {name: Write, tasks: [{run: write/watched}]}
schedules:
  every-minute: {cron: "* * * * *"}
triggers:
  both: {tables: [in.c-watched.one, in.c-watched.two]}
notify:
  watcher@example.com: [success]
---
configuration: load/watched
parameters: {seconds: 2}
---
configuration: write/watched
"""
DUE = """
UPDATE scheduler.next_fires n
SET anchor = date_trunc('minute', clock_timestamp()) - interval '1 second', next_at = clock_timestamp()
FROM catalog.schedules s WHERE s.id = n.schedule_id AND s.orchestration = 'watched'
"""
"""The last full minute becomes due again."""
SEEN = """
SELECT count(*) FROM scheduler.fires WHERE orchestration = 'watched' AND at > $1
"""
REPEATED_SECONDS = "30s"
SHOWN_SECONDS = 120
PATIENCE_SECONDS = 25


@dataclass(frozen=True)
class Asked:
    """One query of one panel."""

    dashboard: str
    panel: str
    query: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.panel} ({self.query['refId']})"

    @property
    def may_be_zero(self) -> bool:
        return not QUIET.isdisjoint({self.panel, f"{self.panel} ({self.query['refId']})"})


QUIET = {
    # nothing is wrong, late or lost under this load
    "Alerts firing",
    "Lateness of schedules (B)",
    "Targets down",
    "Services not ready",
    "Dead letters",
    "Oldest e-mail not sent",
    "Waiting longest for a slot",
    "Lanes stuck",
    "Runners lost",
    "Results too late",
    "Cycles of waiting runs broken",
    "Jobs recovered",
    "Jobs of lost runners, per minute",
    "Jobs asked to stop, per minute",
    "Background tasks that died, connections refused",
    "Failed tries per minute",
    "Consumers paused, connections lost or blocked",
    "Alarms",
    "Messages redelivered or without a queue",
    "Deadlocks and temporary files",
    # there, but too short to be seen at every scrape
    "Waiting for a slot",
    "Age of the oldest unsent message",
    "Unsent messages",
    "Messages in queues",
    "Longest transaction",
    "Unfinished",
    "Age of messages when their handler begins (95 %)",
}
"""Panels, or single queries of them, that may show nothing but zeros."""


def asked() -> list[Asked]:
    return [
        Asked(file.stem, panel["title"], query)
        for file in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
        for panel in json.loads(file.read_text())["panels"]
        for query in panel.get("targets", ())
    ]


@dataclass
class Watch:
    """What there is to ask, and since when."""

    stack: Stack
    prometheus: Prometheus
    since: float


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    """Prometheus with our rules, on the shared stack, its broker and its database, before and under load."""
    folder = tmp_path_factory.mktemp("prometheus")
    rules = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    async with exporter_role(stack.database) as exporter_url:
        with postgres_exporter(folder, exporter_url) as exporter:
            jobs = scraped(stack, exporter)
            with prometheus(folder, jobs, rules) as started:
                watching = Watch(stack, started, time.time())
                await eventually(lambda: all_up(started, jobs), 30)
                await load(stack)
                yield watching


@contextlib.asynccontextmanager
async def exporter_role(database: Database) -> AsyncIterator[str]:
    """The role that `orchestrator db roles` creates, under a name of its own; yields a URL with it."""
    role, password = f"{database.name}_exporter", secrets.token_hex(8)
    creation = Queries.load("orchestrator_shared.database", "roles.sql")["create_monitor"]
    quoted = {"role": quote_identifier(role), "password": quote_literal(password)}
    await database.execute(render(creation, quoted))
    try:
        yield database_url(database.url, database.name, role, password)
    finally:
        await database.execute(f"DROP ROLE {role}")


def scraped(stack: Stack, exporter: str) -> list[dict[str, Any]]:
    broker = urlsplit(servers.rabbitmq().metrics_url).netloc
    queues = {"family": ["queue_coarse_metrics", "queue_consumer_count"]}
    services = stack.metrics_addresses()
    return [
        *(job(name, at, metric_relabel_configs=[dropped(name)]) for name, at in services.items()),
        job("postgresql", exporter),
        job("rabbitmq", broker),
        job("rabbitmq-queues", broker, metrics_path="/metrics/detailed", params=queues),
    ]


def job(name: str, address: str, **more: Any) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [address]}], **more}


def dropped(service: str) -> dict[str, Any]:
    """Metrics of other services: here all are forks of one process, which has the modules of all of them."""
    reference = (ROOT / "docs/reference/metrics.md").read_text()
    others = [
        name
        for section in re.split(r"^## ", reference, flags=re.M)[1:]
        if (heading := section.splitlines()[0].lower()) in MODULES and heading != service
        for name in re.findall(r"^\| `(\w+)`", section, re.M)
    ]
    return {
        "source_labels": ["__name__"],
        "regex": f"({'|'.join(others)})(_bucket|_sum|_count)?",
        "action": "drop",
    }


def all_up(started: Prometheus, jobs: Sequence[Mapping[str, Any]]) -> bool:
    assert started.reached() == {job["job_name"]: "up" for job in jobs}
    return True


async def load(stack: Stack) -> None:
    """What the demo does: by hand, by event, by time, one after the other, with failures and mails."""
    began = await stack.database.fetchval("SELECT clock_timestamp()")
    await stack.apply(WATCHED)
    for table in ("one", "two"):
        await stack.robot.post("table-updates", {"table": f"in.c-watched.{table}"})
    runs = [await stack.run("flights"), await stack.run("flights"), await stack.run("tolerant")]
    runs += [await stack.run("broken", by=stack.person), await stack.run("outer")]

    async def fired() -> bool:
        await stack.database.execute(DUE)
        assert await stack.database.fetchval(SEEN, began)
        return True

    await eventually(fired, 30)
    response = await stack.person.http.get("/")
    assert response.status_code < 400, response.text
    async with await aio_pika.connect(stack.broker.url):
        pass
    for run in runs:
        await stack.ended(run)
    await stack.at_rest()
    await stack.robot.post("table-updates", {"table": "in.c-watched.one"})  # and nobody brings the other one
    await stack.robot.call("DELETE", "orchestrations/watched/schedules/every-minute")


async def test_every_query_of_every_dashboard_finds_something(watch: Watch) -> None:
    left = asked()
    assert len({each.dashboard for each in left}) == 5
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        problems = {each.name: problem for each in left if (problem := await nothing(watch, each))}
        left = [each for each in left if each.name in problems]
        if not left or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    assert not problems, json.dumps(problems, indent=1)


async def nothing(watch: Watch, each: Asked) -> str:
    """What is wrong with the answer; empty if nothing is."""
    if "rawSql" in each.query:
        return await no_rows(watch.stack, each)
    expression = filled(each.query["expr"], each.dashboard, watch.stack)
    if each.query.get("instant"):
        series = [[one["value"][1]] for one in watch.prometheus.last(expression)]
    else:
        found = watch.prometheus.over_time(expression, watch.since, time.time())
        series = [[value for _, value in one["values"]] for one in found]
    if not series:
        return f"no series: {expression}"
    counted = any(value not in ("0", "NaN", "+Inf") for values in series for value in values)
    return f"only zeros: {expression}" if not each.may_be_zero and not counted else ""


def filled(expression: str, dashboard: str, stack: Stack) -> str:
    """Grafana's variables: one orchestration where it is chosen, else everything."""
    expression = expression.replace("$__rate_interval", REPEATED_SECONDS).replace(
        "$__range", f"{SHOWN_SECONDS}s"
    )
    expression = expression.replace("$datname", stack.database.name)
    chosen = PROJECT if dashboard == "orchestration" else ".*"
    expression = expression.replace("$project", chosen).replace("$orchestration", "watched")
    assert "$" not in expression, expression
    return expression


async def no_rows(stack: Stack, each: Asked) -> str:
    """As the role that Grafana has."""
    sql = filled_sql(each.query["rawSql"])
    async with stack.database.connection("grafana") as connection:
        rows = await connection.fetch(sql)
        if not rows:
            return f"no rows: {sql}"
        if each.query["format"] == "time_series":
            assert list(rows[0].keys()) == ["time", "metric", "value"], each.name
        if not each.may_be_zero and not any(value for row in rows for value in row.values()):
            return f"only zeros: {sql}"
        await check_index(connection, sql)
    return ""


async def check_index(connection: asyncpg.Connection, sql: str) -> None:
    """Histories are long: no panel may read all runs of all orchestrations."""
    await connection.execute("SET enable_seqscan = off")
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}"))
    assert "Seq Scan on jobs" not in plan, f"{sql}\n{plan}"


def filled_sql(sql: str) -> str:
    sql = sql.replace("${project:sqlstring}", f"'{PROJECT}'").replace(
        "${orchestration:sqlstring}", "'watched'"
    )
    sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '1 hour' AND now()", sql)
    assert "$" not in sql, sql
    return sql


async def test_the_choices_of_variables_are_there(watch: Watch) -> None:
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
        for variable in json.loads(file.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                found[f"{file.stem}: {variable['name']}"] = await choices(watch, variable["query"])
    assert PROJECT in found["orchestration: project"]
    assert "watched" in found["orchestration: orchestration"]
    assert PROJECT in found["triggers: project"]
    assert watch.stack.database.name in found["platform: datname"]


async def choices(watch: Watch, query: str | dict[str, Any]) -> list[str]:
    if isinstance(query, str):
        async with watch.stack.database.connection("grafana") as connection:
            return [row[-1] for row in await connection.fetch(filled_sql(query))]
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query["query"]).groups()  # type: ignore[union-attr]
    return watch.prometheus.label_values(label, selector)
