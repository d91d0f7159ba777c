"""What a pod reports: a real api takes it, a real runner writes it, and a late pod is refused."""

import base64
import gzip
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.kubernetes.api import NAMESPACE, TOKEN, kubernetes_api
from tests.support.kubernetes_harness import IMAGE, PROGRAM
from tests.support.pipelines import ENCRYPTION_KEY, runner_environment
from tests.support.service_process import ServiceProcess
from tests.support.stack import Caller
from tests.support.stack_settings import ADMIN_EMAIL, ADMIN_TOKEN, LINK_KEY
from tests.support.waiting import eventually

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]
FILLING = base64.b64encode(bytes(range(256)) * 1200).decode()
DOCUMENTS: list[dict[str, Any]] = [
    {
        "component": "counter",
        "name": "Counter",
        "type": "application",
        "executor": "kubernetes",
        "kubernetes": {"image": IMAGE, "command": [sys.executable, PROGRAM]},
    },
    {
        "configuration": "counter/daily",
        "parameters": {"behaviour": "count_runs", "filling": FILLING},
    },
]


async def test_a_state_that_is_too_long_for_a_pod_is_kept_for_the_next_run(
    database: Database, broker: BrokerVhost, tmp_path: Path, service_process: Launch
) -> None:
    api = service_process("orchestrator_api", _api_settings(database, broker))
    await api.ready()
    (tmp_path / "token").write_text(TOKEN)
    async with kubernetes_api() as cluster, _admin(api) as http:
        urls: list[str] = []

        async def look(verb: str, resource: str) -> None:
            if (verb, resource) == ("create", "secrets"):
                secret = cluster.store.find("secrets", lambda _: True)[-1]
                given = json.loads(gzip.decompress(base64.b64decode(secret["data"]["input.json.gz"])))
                urls.append(given["report"])

        cluster.after = look
        runner = service_process(
            "orchestrator_runner",
            runner_environment(
                database,
                broker,
                tmp_path,
                ORCHESTRATOR_API_URL=api.url,
                ORCHESTRATOR_KUBERNETES_NAMESPACE=NAMESPACE,
                ORCHESTRATOR_KUBERNETES_URL=cluster.url,
                ORCHESTRATOR_KUBERNETES_TOKEN_FILE=str(tmp_path / "token"),
                ORCHESTRATOR_ALLOWED_IMAGES=json.dumps([IMAGE]),
            ),
        )
        await runner.ready()
        admin = Caller(http)
        await admin.post("/v1/projects", {"id": "demo", "name": "Demo"})
        await admin.post("definitions/apply", {"documents": DOCUMENTS})

        said = [(await _ended(admin))["message"] for _ in range(2)]

        assert said == ["run 1", "run 2"], "the state of the first was given to the second"
        late = await http.post(urls[0], json={"pod": "late", "part": 0, "parts": 1, "data": ""})
        assert late.status_code == 404
        told = json.dumps(cluster.store.find("pods", lambda _: True))
        logged = runner.log.read_text() + api.log.read_text()
        assert FILLING[:40] not in told + logged
        assert not [url for url in urls if url.rpartition("_")[2] in told + logged]


async def _ended(admin: Caller) -> dict[str, Any]:
    job_id = (await admin.post("configurations/counter/daily/runs"))["job_id"]

    async def look() -> dict[str, Any]:
        job: dict[str, Any] = await admin.get(f"jobs/{job_id}")
        assert job["finished_at"] is not None, job["status"]
        return job

    job: dict[str, Any] = await eventually(look, 30)
    assert job["status"] == "success", job
    return job


def _admin(api: ServiceProcess) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    return httpx.AsyncClient(base_url=api.url, headers=headers, trust_env=False, timeout=30)


def _api_settings(database: Database, broker: BrokerVhost) -> dict[str, str]:
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
    }
