"""Services behind HTTP that call back: a real api, a real runner, a real service."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.http_service import HttpService, Received, Reply, http_service
from tests.support.pipelines import ENCRYPTION_KEY, QUICKLY_LOST, runner_environment
from tests.support.service_process import ServiceProcess
from tests.support.stack import Caller
from tests.support.stack_settings import ADMIN_EMAIL, ADMIN_TOKEN, LINK_KEY
from tests.support.waiting import eventually

from orchestrator_runner.queue.handle_store import CALLBACK_POLL_SECONDS
from orchestrator_shared.definitions.loader import load_text

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]

DEFINITIONS = """
component: reports
name: Reports
type: application
executor: http
http:
  start:
    url: SERVICE/runs
    body: {notify: "{{ callback_url }}"}
  callback: {state: status, progress: step}
  states: {success: [done], running: [started], error: [failed]}
  result: {message: said, output_tables: tables}
  cancel: {url: "SERVICE/cancel/{{ job_id }}"}
---
configuration: reports/daily
parameters: {}
"""


@dataclass
class World:
    """What runs, and the job that waits for a report."""

    database: Database
    service: HttpService
    api: ServiceProcess
    start_runner: Callable[..., ServiceProcess]
    admin: Caller
    at_start: list[Any] = field(default_factory=list)
    """Reported by the service before it answers the start."""
    answers: list[int] = field(default_factory=list)

    @property
    def callback_url(self) -> str:
        url: str = self.service.asked("POST", "/runs")[-1].json["notify"]
        return url

    async def report(self, body: Any, *, url: str | None = None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            content = body if isinstance(body, bytes) else None
            given = None if content is not None else body
            return await http.post(url or self.callback_url, json=given, content=content, timeout=30)

    async def answer(self, _: Received) -> Reply:
        for body in self.at_start:
            self.answers.append((await self.report(body)).status_code)
        return Reply(201, {"id": "r1"})

    async def begun(self) -> str:
        """A job whose run at the service has begun, and which waits."""
        job = await self.admin.post("configurations/reports/daily/runs")

        async def is_kept() -> bool:
            rows = await self.database.fetch("SELECT FROM jobs.attempts WHERE handle IS NOT NULL")
            return bool(rows)

        await eventually(is_kept, 30)
        job_id: str = job["job_id"]
        return job_id

    async def ended(self, job_id: str) -> dict[str, Any]:
        async def look() -> dict[str, Any]:
            job: dict[str, Any] = await self.admin.get(f"jobs/{job_id}")
            assert job["finished_at"] is not None, job["status"]
            return job

        return await eventually(look, 30)

    async def log(self, job_id: str) -> str:
        chunks = (await self.admin.get(f"jobs/{job_id}/log"))["chunks"]
        return "".join(chunk["text"] for chunk in chunks)


@pytest.fixture
async def world(
    database: Database, broker: BrokerVhost, tmp_path: Path, service_process: Launch
) -> AsyncIterator[World]:
    api_settings = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
        "ORCHESTRATOR_LOG_LEVEL": "debug",
    }
    api = service_process("orchestrator_api", api_settings)
    await api.ready()
    async with (
        http_service(lambda request: made.answer(request)) as service,
        httpx.AsyncClient(
            base_url=api.url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, trust_env=False, timeout=30
        ) as http,
    ):

        def start_runner(**more: str) -> ServiceProcess:
            settings = {
                "ORCHESTRATOR_INTERNAL_HOSTS": f"127.0.0.1:{service.port}",
                "ORCHESTRATOR_API_URL": f"{api.url}/",
                "ORCHESTRATOR_LOG_LEVEL": "debug",
                **more,
            }
            given = {name: value for name, value in settings.items() if value}
            return service_process(
                "orchestrator_runner", runner_environment(database, broker, tmp_path, **given)
            )

        made = World(database, service, api, start_runner, Caller(http))
        await made.admin.post("/v1/projects", {"id": "demo", "name": "Demo"})
        documents = load_text(DEFINITIONS.replace("SERVICE", service.url)).require()
        await made.admin.post("definitions/apply", {"documents": [document.raw for document in documents]})
        yield made


async def test_a_service_tells_of_the_end_by_itself(world: World) -> None:
    runner = world.start_runner()
    await runner.ready()
    job_id = await world.begun()
    (row,) = await world.database.fetch("SELECT callback_hash FROM jobs.attempts")
    token = world.callback_url.rpartition("/")[2]
    assert world.callback_url == f"{world.api.url}/v1/callbacks/{token}"
    assert row["callback_hash"] == hashlib.sha256(token.encode()).digest()

    since = time.monotonic()
    end = {"status": "done", "said": f"by {token}", "tables": ["out.c-a.b"]}
    for body in ({"status": "started", "step": "one of two"}, {"no": "state"}, end, end):
        assert (await world.report(body)).status_code == 200
    job = await world.ended(job_id)

    assert time.monotonic() - since < CALLBACK_POLL_SECONDS - 1, "the runner was not woken"
    assert (job["status"], job["message"]) == ("success", "by ***")
    assert [table["table"] for table in job["output_tables"]] == ["out.c-a.b"]
    assert (await world.report(end)).status_code == 200, "the same again"
    late = await world.report({"status": "failed"})
    unknown = await world.report(end, url=world.callback_url[:-4] + "AAAA")
    assert (late.status_code, unknown.status_code) == (404, 404)
    assert late.json()["detail"] == unknown.json()["detail"]
    log = await world.log(job_id)
    assert "one of two" in log
    assert "callback: the answer has no text or number at status: ignored" in log
    secret = token.rpartition("_")[2]
    assert secret not in log + runner.log.read_text() + world.api.log.read_text()


async def test_a_report_may_come_before_the_starts_answer(world: World) -> None:
    world.at_start = [{"status": "done", "said": "fast"}]
    await world.start_runner().ready()
    job = await world.admin.post("configurations/reports/daily/runs")

    ended = await world.ended(job["job_id"])

    assert (ended["status"], ended["message"], world.answers) == ("success", "fast", [200])


async def test_a_report_that_nobody_heard_is_found_by_the_next_runner(world: World) -> None:
    first = world.start_runner(**QUICKLY_LOST)
    await first.ready()
    job_id = await world.begun()
    first.kill()
    assert (await world.report({"status": "failed", "said": "no such day"})).status_code == 200

    await world.start_runner().ready()
    job = await world.ended(job_id)

    assert (job["status"], job["error_kind"], job["message"]) == ("error", "internal", "no such day")
    assert [one.target for one in world.service.received] == ["/runs"]


async def test_a_stopped_run_that_calls_back_is_seen_to_end(world: World) -> None:
    await world.start_runner(ORCHESTRATOR_TASK_GRACE_SECONDS="30").ready()
    job_id = await world.begun()

    await world.admin.post(f"jobs/{job_id}/termination")
    await eventually(lambda: world.service.asked("POST", "/cancel"), 30)
    following = await world.admin.post("configurations/reports/daily/runs")
    assert (await world.admin.get(f"jobs/{job_id}"))["status"] == "terminating"
    assert len(world.service.asked("POST", "/runs")) == 1, "the next one began beside it"
    since = time.monotonic()
    assert (await world.report({"status": "failed", "said": "stopped"})).status_code == 200

    assert (await world.ended(job_id))["status"] == "terminated"
    assert time.monotonic() - since < CALLBACK_POLL_SECONDS - 1, "the runner was not woken"
    assert "state failed" in await world.log(job_id)
    await eventually(lambda: len(world.service.asked("POST", "/runs")) == 2, 30)
    assert (await world.report({"status": "done"})).status_code == 200
    assert (await world.ended(following["job_id"]))["status"] == "success"


async def test_reports_are_bounded_and_bad_ones_refused(world: World) -> None:
    await world.start_runner(ORCHESTRATOR_TASK_GRACE_SECONDS="1").ready()
    job_id = await world.begun()

    large = b'{"status": "done", "x": "' + b"y" * 300_000 + b'"}'
    bad = [b"", b"[1]", b"{", large, b'{"status": "\\u0000"}']
    assert [(await world.report(body)).status_code for body in bad] == [400, 422, 400, 413, 422]
    reports = [world.report({"status": "started", "n": number}) for number in range(60)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*reports))
    assert codes[-1] == 409
    assert 50 <= codes.count(200) <= 60, "reports at the same moment may be some more"

    await world.admin.post(f"jobs/{job_id}/termination")
    assert (await world.ended(job_id))["status"] == "terminated"
    assert [one.target for one in world.service.received] == ["/runs", f"/cancel/{job_id}"]
    assert (await world.report({"status": "done"})).status_code == 404


async def test_without_the_apis_address_the_job_says_so(world: World) -> None:
    await world.start_runner(ORCHESTRATOR_API_URL="").ready()
    job = await world.admin.post("configurations/reports/daily/runs")

    ended = await world.ended(job["job_id"])

    assert (ended["status"], ended["error_kind"]) == ("error", "user")
    assert "set ORCHESTRATOR_API_URL on the runner" in ended["message"]
    assert world.service.received == []
