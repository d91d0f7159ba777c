"""A program that calls the api with the token of its job: a real runner, a real api."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import said
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import ENCRYPTION_KEY, runner_environment
from tests.support.service_process import ServiceProcess
from tests.support.stack import Caller
from tests.support.stack_settings import ADMIN_EMAIL, ADMIN_TOKEN, LINK_KEY
from tests.support.waiting import eventually

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]

PROGRAM = """
import json, os, urllib.request, urllib.error
with open(os.environ["ORCHESTRATOR_DATA_DIR"] + "/config.json") as file:
    target = json.load(file)["parameters"]["file"]
url, token = os.environ["ORCHESTRATOR_URL"], os.environ["ORCHESTRATOR_TOKEN"]
project = url + "/v1/projects/" + os.environ["ORCHESTRATOR_PROJECT"]
def ask(path, body=None):
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(project + path, content, headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
answers = {
    "publish": ask("/table-updates", {"table": "out.c-a.x"}),
    "job": ask("/jobs/" + os.environ["ORCHESTRATOR_JOB_ID"]),
    "run": ask("/jobs/" + os.environ["ORCHESTRATOR_RUN_ID"]),
    "variables": ask("/variables"),
    "start": ask("/orchestrations/daily/runs", {}),
    "configurations": ask("/configurations"),
}
with open(target, "w") as file:
    json.dump({"token": token, "answers": answers}, file)
print("the token is", token)
"""
COMPONENT = {
    "name": "Caller",
    "type": "application",
    "command": ["{python}", "-S", "-c", PROGRAM],
    "parameters": {"type": "object"},
}
TASKS = [{"component": "caller", "configuration": "one"}]


@dataclass
class World:
    """An api and a runner that knows its address, or does not."""

    admin: Caller
    start_runner: Callable[..., ServiceProcess]
    file: Path

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
    settings = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
    }
    api = service_process("orchestrator_api", settings)
    await api.ready()

    def start_runner(**more: str) -> ServiceProcess:
        return service_process("orchestrator_runner", runner_environment(database, broker, tmp_path, **more))

    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=api.url, headers=headers, trust_env=False, timeout=30) as http:
        file = tmp_path / "answers.json"
        made = World(
            Caller(http), lambda **more: start_runner(ORCHESTRATOR_API_URL=f"{api.url}/", **more), file
        )
        await made.admin.post("/v1/projects", {"id": "demo"})
        await made.admin.put("/v1/components/caller", COMPONENT)
        await made.admin.put("configurations/caller/one", {"parameters": {"file": str(file)}})
        await made.admin.put("orchestrations/daily", {"phases": [{"name": "Only", "tasks": TASKS}]})
        yield made


async def test_a_program_publishes_and_reads_as_its_job(
    world: World, broker: BrokerVhost, database: Database
) -> None:
    runner = world.start_runner()
    await runner.ready()
    run = (await world.admin.post("orchestrations/daily/runs"))["job_id"]
    ended = await world.ended(run)
    assert ended["status"] == "success", ended
    told = json.loads(world.file.read_text())
    assert told["answers"] == {
        "publish": 202, "job": 200, "run": 200, "variables": 200, "start": 403, "configurations": 403,
    }  # fmt: skip

    (tasks,) = [phase["tasks"] for phase in (await world.admin.get(f"jobs/{run}/tasks"))["phases"]]
    job = tasks[0]["job"]["id"]
    (update,) = await said(broker, "trigger-watcher.updates", 1)
    assert (update["data"]["table"], update["data"]["job_id"]) == ("out.c-a.x", job)
    assert await world.log(job) == "the token is ***\n"
    everything = await database.fetch("SELECT j::text AS row FROM jobs.jobs j")
    assert not any(told["token"] in row["row"] for row in everything), "it is stored nowhere"

    late = await world.admin.http.get(
        "/v1/projects/demo/variables", headers={"Authorization": f"Bearer {told['token']}"}
    )
    assert late.status_code == 401
    assert "has ended" in late.json()["detail"]
