"""Where chaos happens: an api and three runners as real processes, and a caller who does not give up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.ledger import LEDGER_VARIABLE
from tests.support.pipelines import ENCRYPTION_KEY, runner_environment
from tests.support.service_process import ServiceProcess
from tests.support.stack_settings import ADMIN_EMAIL, ADMIN_TOKEN, LINK_KEY

from orchestrator_local.servers.rabbitmq import RabbitServer

REPLICAS = 3
PATIENCE_SECONDS = 90
"""How long a request is repeated while a service or a server is away."""


@dataclass(frozen=True)
class Scene:
    """Where it happens, how much of it, and how long all may take to end once it is calm."""

    database: Database
    broker: BrokerVhost
    folder: Path
    seed: int
    jobs: int
    seconds: float
    bound: float
    lease_seconds: float = 2.0
    pause_seconds: tuple[float, float] = (0.2, 1.1)
    """Between two faults."""
    server: RabbitServer | None = None
    """A broker that may be stopped as a whole."""

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    @property
    def long_seconds(self) -> float:
        """A task that takes so long outlives a lease, the takeover and much of what comes after."""
        return 3 * self.lease_seconds


class Api:
    """Requests as the administrator; every one of them bears repetition."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any
    ) -> httpx.Response:
        """The first answer that is no outage."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        headers = {} if key is None else {"Idempotency-Key": key}
        while True:
            problem = ""
            try:
                response = await self._http.request(method, path, json=body, params=query, headers=headers)
                if response.status_code == 428:
                    headers["If-Match"] = "*"
                    continue
                if response.status_code < 500:
                    return response
                problem = response.text
            except httpx.TransportError as error:
                problem = repr(error)
            assert time.monotonic() < deadline, f"{method} {path}: {problem}"
            await asyncio.sleep(0.2)

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Save something."""
        response = await self.call("PUT", path, body)
        assert response.is_success, f"{path}: {response.text}"


@dataclass(frozen=True)
class World:
    """The processes; the api is `services[0]`."""

    api: Api
    server: ServiceProcess
    runners: Mapping[str, ServiceProcess]


@contextlib.asynccontextmanager
async def open_world(scene: Scene) -> AsyncIterator[World]:
    """All of them ready; surely ended at the end."""
    scene.ledger.touch()
    server = ServiceProcess("orchestrator_api", _api_environment(scene), scene.folder)
    runners = {name: _runner(scene, name) for name in (f"runner-{n}" for n in range(1, REPLICAS + 1))}
    services = [server, *runners.values()]
    try:
        for service in services:
            service.start()
        await asyncio.gather(*(service.ready(60) for service in services))
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with httpx.AsyncClient(
            base_url=server.url, headers=headers, timeout=10, trust_env=False
        ) as http:
            yield World(Api(http), server, runners)
    finally:
        for service in services:
            service.clean_up()
            print(f"--- the end of the log of {service.log.name}\n{service.log_tail(10)}")


def _api_environment(scene: Scene) -> dict[str, str]:
    return {
        "ORCHESTRATOR_DATABASE_URL": scene.database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": scene.broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
    }


def _runner(scene: Scene, name: str) -> ServiceProcess:
    more = {
        LEDGER_VARIABLE: str(scene.ledger),
        "ORCHESTRATOR_LEASE_SECONDS": str(scene.lease_seconds),
        "ORCHESTRATOR_HEARTBEAT_SECONDS": str(scene.lease_seconds / 4),
        "ORCHESTRATOR_RUNNER_NAME": name,
        "ORCHESTRATOR_WORK_DIR": str(scene.folder / name),
    }
    environment = runner_environment(scene.database, scene.broker, scene.folder, **more)
    return ServiceProcess("orchestrator_runner", environment, scene.folder)
