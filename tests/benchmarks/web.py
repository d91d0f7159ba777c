"""The section `web`: large pages beside a bare template with the same statements, and in a browser.

On a project with 1,000 orchestrations, 20 runs of each, a run of 500 tasks, and a log of 100 megabytes.
"""

import argparse
import asyncio
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
from playwright.async_api import BrowserContext, Page
from tests.benchmarks import api
from tests.benchmarks.api import Endpoint, Measured
from tests.benchmarks.catalog import PROJECT, fill
from tests.benchmarks.http_load import Load, Request
from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.integration.api.people import CHEAP, PASSWORD, sign_in
from tests.support.brokers import BrokerVhost
from tests.support.chromium import DESK, chromium
from tests.support.databases import Database

from orchestrator_api.settings import ApiSettings
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import JobsChanged

ORCHESTRATIONS, JOBS = 1000, 100_000
TASKS = 500
MEGABYTES = int(os.environ.get("BENCH_WEB_LOG_MEGABYTES", "100"))
RATE = 2.0
"""Requests a second: times of the server, not of a queue."""
REQUESTS = 20
GOAL_SECONDS, GOAL_RATIO = 0.150, 2.0
UPDATES_PER_SECOND, UPDATE_SECONDS = 20, 10.0
MOST_BYTES, MOST_PAINT_SECONDS, LONG_TASK_SECONDS = 200_000, 1.0, 0.1
EMAIL = "bench@example.com"
BASE = f"/projects/{PROJECT}/orchestrations"
PAGES = {
    f"list of {ORCHESTRATIONS:,} orchestrations": BASE,
    f"run of {TASKS} tasks": f"{BASE}/wide/runs/2",
    f"failed run, log of {MEGABYTES} MB": f"{BASE}/wide/runs/1",
    "its log at line 1,000,000": f"{BASE}/wide/runs/1?line=1000000",
}
OBSERVE = """
window.tasks = [];
window.painted = 0;
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.tasks.push(each.duration); })
  .observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.painted = each.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
CHANGED = "UPDATE jobs.jobs SET revision = revision + 1 WHERE id = $1 RETURNING revision"


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    async with stage.migrated() as database:
        await fill(database)
        await api.grow(database, ORCHESTRATIONS, JOBS)
        values = {"project": PROJECT, "tasks": TASKS, "megabytes": MEGABYTES}
        await api.carry_out(database, Path(__file__).with_suffix(".sql"), values)
        with stage.vhost() as vhost:
            settings = api.settings_of(database, vhost)
            who = {"Cookie": f"orchestrator_session={await _session(settings, database)}"}
            endpoints = [Endpoint(name, Request(path), RATE) for name, path in PAGES.items()]
            recorded = stage.folder / "recorded-web"
            recorded.write_bytes(pickle.dumps(await api.record(settings, endpoints, who)))
            bare = "tests.benchmarks.bare_web"
            async with api.started(stage, database, vhost, recorded, who, bare) as loads:
                lines = [await _measured(endpoint, loads, arguments.repeats) for endpoint in endpoints]
                goal = f"p95 ≤ {GOAL_SECONDS * 1000:.0f} ms and ratio ≤ {GOAL_RATIO:.0f}"
                print(f"{ORCHESTRATIONS:,} orchestrations, {JOBS // 5:,} runs; goal: {goal}")
                print(table(("page", "p50 ours/bare", "p95 ours", "p95 bare", "ratio", "verdict"), lines))
                seen = await _seen(loads["ours"].port, who["Cookie"], database, vhost)
    longest = f"tasks > {LONG_TASK_SECONDS * 1000:.0f} ms at {UPDATES_PER_SECOND} changes/s"
    print(table(("in a browser", "transferred", "largest paint", longest, "verdict"), seen))


async def _session(settings: ApiSettings, database: Database) -> str:
    """The session of a person who is an editor of the project."""
    async with api.in_process(settings, {}) as client:
        member = {"email": EMAIL, "role": "editor"}
        added = await client.post(f"/v1/projects/{PROJECT}/members", json=member, headers=api.BEARER)
        assert added.status_code == 201, added.text
        await database.execute(
            "UPDATE catalog.people SET password_hash = $2 WHERE email = $1", EMAIL, CHEAP.hash(PASSWORD)
        )
        return (await sign_in(client, EMAIL)).cookies["orchestrator_session"]


async def _measured(endpoint: Endpoint, loads: Mapping[str, Load], repeats: int) -> tuple[str, ...]:
    """In turns; the first request of each, which compiles and caches, does not count."""
    found = {name: Measured() for name in loads}
    for load in loads.values():
        await load.ask(endpoint.request)
    for repeat in range(repeats):
        for name in ("ours", "bare") if repeat % 2 else ("bare", "ours"):
            found[name].seconds += await loads[name].at_rate(endpoint.request, endpoint.rate, REQUESTS)
    print(f"  measured: {endpoint.name}", flush=True)
    ours, bare = found["ours"], found["bare"]
    p95, ratio = ours.percentile(0.95), ours.percentile(0.95) / bare.percentile(0.95)
    verdict = MET if p95 <= GOAL_SECONDS and ratio <= GOAL_RATIO else MISSED
    medians = f"{ours.percentile(0.5) * 1000:.0f}/{bare.percentile(0.5) * 1000:.0f} ms"
    bare_p95 = f"{bare.percentile(0.95) * 1000:.0f} ms"
    return (endpoint.name, medians, f"{p95 * 1000:.0f} ms", bare_p95, f"{ratio:.2f}", verdict)


async def _seen(port: int, cookie: str, database: Database, vhost: BrokerVhost) -> list[tuple[str, ...]]:
    """Each page as the first visit of a browser, and then with changes all the time."""
    url, lines = f"http://127.0.0.1:{port}", []
    name, _, value = cookie.partition("=")
    jobs = await _at_work(database)
    async with chromium() as browser:
        for page_name, path in PAGES.items():
            context = await browser.new_context(viewport=DESK)
            kept = {name: value, "orchestrator_zone": "Europe/Prague"}
            await context.add_cookies([{"name": each, "value": kept[each], "url": url} for each in kept])
            lines.append((page_name, *await _first_visit(context, url + path, jobs, database, vhost)))
            await context.close()
    return lines


async def _first_visit(
    context: BrowserContext, url: str, jobs: Sequence[UUID], database: Database, vhost: BrokerVhost
) -> tuple[str, ...]:
    page = await context.new_page()
    await page.add_init_script(OBSERVE)
    transferred = await _counting(page)
    await page.goto(url)
    await page.wait_for_function("() => painted > 0")
    size = sum(transferred.values())
    if await page.locator("#lines").count():
        await page.wait_for_function("() => 'whole' in lines.dataset", timeout=120_000)
    painted = await page.evaluate("painted")
    await page.evaluate("tasks.length = 0")
    await _change(jobs, database, vhost)
    longest = max(await page.evaluate("tasks"), default=0) / 1000
    long = await page.evaluate(f"tasks.filter((each) => each > {LONG_TASK_SECONDS * 1000}).length")
    is_met = size <= MOST_BYTES and painted <= MOST_PAINT_SECONDS * 1000 and not long
    verdict = MET if is_met else MISSED
    return (
        f"{size / 1000:.0f} kB",
        f"{painted:.0f} ms",
        f"{long} (longest {longest * 1000:.0f} ms)",
        verdict,
    )


async def _counting(page: Page) -> dict[str, float]:
    """Bytes on the wire by request, without fonts."""
    urls: dict[str, str] = {}
    sizes: dict[str, float] = {}
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")
    devtools.on(
        "Network.requestWillBeSent", lambda each: urls.update({each["requestId"]: each["request"]["url"]})
    )

    def finished(each: dict[str, object]) -> None:
        request = str(each["requestId"])
        if not urls.get(request, "").endswith(".woff2"):
            sizes[request] = float(str(each["encodedDataLength"]))

    devtools.on("Network.loadingFinished", finished)
    return sizes


async def _at_work(database: Database) -> list[UUID]:
    """Jobs of the run that is at work, and the run itself."""
    rows = await database.fetch(
        "SELECT id FROM jobs.jobs WHERE finished_at IS NULL AND project = $1 ORDER BY depth LIMIT 20", PROJECT
    )
    return [row["id"] for row in rows]


async def _change(jobs: Sequence[UUID], database: Database, vhost: BrokerVhost) -> None:
    """Changes as runners tell of them, evenly."""
    async with await aio_pika.connect(vhost.url) as connection:
        channel = await connection.channel()
        for count in range(round(UPDATES_PER_SECOND * UPDATE_SECONDS)):
            job = jobs[count % len(jobs)]
            message = JobsChanged(project=PROJECT, revisions={job: await database.fetchval(CHANGED, job)})
            exchange = await channel.get_exchange(message.exchange, ensure=False)
            body = aio_pika.Message(wrap(message, source="/runner").to_bytes(), message_id=str(uuid4()))
            await exchange.publish(body, message.key)
            await asyncio.sleep(1 / UPDATES_PER_SECOND)
