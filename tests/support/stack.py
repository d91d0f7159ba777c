"""All five services as real processes on servers of their own, driven through the HTTP API."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import httpx
from tests.support import databases, servers
from tests.support.brokers import BrokerVhost, fresh_vhost
from tests.support.databases import Database
from tests.support.ledger import LEDGER_VARIABLE, PROGRAM, SCHEMA, Ledger
from tests.support.pipelines import ENCRYPTION_KEY
from tests.support.service_process import ServiceProcess
from tests.support.smtp_sink import SmtpSink
from tests.support.stack_settings import ADMIN_TOKEN, MODULES, QUICK, RIGHTS
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port
from orchestrator_shared.contracts.message import DEAD_LETTERS
from orchestrator_shared.contracts.routing import QUEUES
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.messaging.topology import declare

PROJECT = "demo"
COMPONENTS = {"load": "extractor", "shape": "transformation", "write": "writer", "fragile": "application"}
LOOK_SECONDS = 0.1
READY_SECONDS = 90


LEFT_TO_DO = """
SELECT (SELECT count(*) FROM jobs.jobs WHERE finished_at IS NULL) AS unfinished_jobs,
       (SELECT count(*) FROM catalog.outbox) + (SELECT count(*) FROM scheduler.outbox)
       + (SELECT count(*) FROM triggers.outbox) + (SELECT count(*) FROM jobs.outbox) AS unsent_messages,
       (SELECT count(*) FROM (SELECT job_id FROM catalog.run_requests
                              UNION SELECT job_id FROM scheduler.fires WHERE outcome = 'requested') asked
        WHERE NOT EXISTS (SELECT FROM jobs.jobs WHERE id = asked.job_id)
          AND NOT EXISTS (SELECT FROM jobs.request_records r WHERE r.job_id = asked.job_id)
       ) AS unheard_requests,
       (SELECT coalesce(sum(jsonb_array_length(output_tables)), 0) FROM jobs.jobs WHERE status = 'success')
       - (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL) AS unheard_updates,
       (SELECT count(*) FROM triggers.states WHERE pending_job_id IS NOT NULL) AS pending_triggers,
       (SELECT count(*) FROM jobs.jobs j
        WHERE kind = 'run' AND parent_id IS NULL AND finished_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM notifications.facts WHERE key = 'run-finished:' || j.id)
       ) AS untold_runs,
       (SELECT count(*) FROM notifications.deliveries WHERE status = 'pending') AS unsent_mails
"""


class Caller:
    """HTTP as one token; asks again while the api is away, so every request must bear repetition."""

    def __init__(self, http: httpx.AsyncClient, *, patience: float = 30) -> None:
        self.http = http
        self.patience = patience

    async def call(
        self, method: str, path: str, body: Any = None, *, status: int = 0, key: str | None = None
    ) -> Any:
        """A path that does not begin with / is the project's. `status` is the one expected, else any 2xx."""
        headers = {} if key is None else {"Idempotency-Key": key}
        url = path if path.startswith("/") else f"/v1/projects/{PROJECT}/{path}"
        deadline = time.monotonic() + self.patience
        while True:
            problem = ""
            try:
                response = await self.http.request(method, url, json=body, headers=headers)
                if response.status_code == 428:  # whatever is there: in tests, no one edits beside them
                    headers["If-Match"] = "*"
                    body = {**body, "plan_id": "*"} if url.endswith("/definitions/apply") else body
                    continue
                if response.status_code not in (502, 503, 504):
                    break
                problem = response.text
            except httpx.TransportError as error:
                problem = repr(error)
            assert time.monotonic() < deadline, f"{method} {url}: {problem}"
            await asyncio.sleep(LOOK_SECONDS)
        fine = response.status_code == status if status else response.is_success
        assert fine, f"{method} {url}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    async def get(self, path: str, **options: Any) -> Any:
        return await self.call("GET", path, **options)

    async def put(self, path: str, body: Any, **options: Any) -> Any:
        return await self.call("PUT", path, body, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.call("POST", path, {} if body is None else body, **options)


@dataclass
class Network:
    """Where the services find their servers; a proxied one can be broken."""

    database: TcpProxy | None = None
    broker: TcpProxy | None = None


@dataclass
class Stack:
    """Everything that runs; `person` is the administrator, `robot` a token of nobody (unattended runs)."""

    database: Database
    broker: BrokerVhost
    mails: SmtpSink
    ledger: Ledger
    network: Network
    folder: Path
    environment: Mapping[str, Mapping[str, str]]
    url: str
    """Of the first api, which mails lead to and browsers open."""
    replicas: int = 1
    python: Path | None = None
    """Of another release, which runs the services that are launched from now on."""
    services: dict[str, ServiceProcess] = field(default_factory=dict)
    person: Caller = field(init=False)
    robot: Caller = field(init=False)
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    metrics_ports: dict[str, int] = field(default_factory=dict)
    """Of the services that do not serve their metrics beside the rest."""
    seen: dict[str, int] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> ServiceProcess:
        """`stack["runner"]`, the second replica is `stack["runner-2"]`."""
        return self.services[name]

    async def start(self) -> None:
        """Start all services at once and wait until each is ready."""
        for name in MODULES:
            for number in range(1, self.replicas + 1):
                self._launch(name, number)
        await asyncio.gather(*(service.ready(READY_SECONDS) for service in self.services.values()))
        await self._furnish()

    def _launch(self, name: str, number: int) -> None:
        label = name if number == 1 else f"{name}-{number}"
        more = {"ORCHESTRATOR_WORK_DIR": str(self.folder / label), "ORCHESTRATOR_RUNNER_NAME": label}
        more["ORCHESTRATOR_TASK_UIDS"] = "none"  # as root, too: tasks write into folders of pytest's
        if label == "api":
            more["ORCHESTRATOR_HTTP_PORT"] = str(urlsplit(self.url).port)
        if name == "api" and "ORCHESTRATOR_METRICS_PORT" not in self.environment[name]:
            self.metrics_ports[label] = free_port()
            more["ORCHESTRATOR_METRICS_PORT"] = str(self.metrics_ports[label])
        environment = {**self.environment[name], **more}
        service = ServiceProcess(MODULES[name], environment, self.folder, python=self.python)
        self.services[label] = service
        service.start()

    async def join(self, name: str, number: int) -> None:
        """Add a replica, or put one of the present release in the place of one that ended."""
        self._launch(name, number)
        label = name if number == 1 else f"{name}-{number}"
        self.killed.discard(label)
        await self[label].ready(READY_SECONDS)

    async def leave(self, label: str) -> None:
        """Stop one as for an upgrade: it finishes what it has begun."""
        self.killed.add(label)
        self[label].terminate()
        await self[label].ended(READY_SECONDS)

    def metrics_addresses(self) -> dict[str, str]:
        """Host and port that Prometheus scrapes, by service."""
        return {
            label: f"127.0.0.1:{self.metrics_ports.get(label, service.port)}"
            for label, service in self.services.items()
        }

    async def _furnish(self) -> None:
        """A project, components and a token, all through the API."""
        self.person = self.caller(ADMIN_TOKEN)
        await self.person.post("/v1/projects", {"id": PROJECT, "name": "Demo"})
        for component, kind in COMPONENTS.items():
            document = {
                "name": component.title(),
                "type": kind,
                "command": ["{python}", "-S", "-c", PROGRAM],
                "environment": {LEDGER_VARIABLE: None},
                "after_crash": "fail" if component == "fragile" else "rerun",
                "parameters": SCHEMA,
            }
            await self.person.put(f"/v1/components/{component}", document)
        scopes = ["read", "configure", "run", "tables"]
        made = await self.person.post("tokens", {"name": "robot", "scopes": scopes, "components": ["*"]})
        self.robot = self.caller(made["token"])

    def caller(self, token: str, service: str = "api") -> Caller:
        """Requests as this token, to this replica of the api."""
        client = httpx.AsyncClient(
            base_url=self[service].url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=10,
            trust_env=False,
            verify=False,  # plain HTTP
        )
        self.clients.append(client)
        return Caller(client)

    async def apply(self, definitions: str) -> list[dict[str, Any]]:
        """Definitions in YAML; returns the changes."""
        documents = [document.raw for document in load_text(definitions).require()]
        answer = await self.robot.post("definitions/apply", {"documents": documents})
        changes: list[dict[str, Any]] = answer["changes"]
        return changes

    async def run(self, orchestration: str, *, by: Caller | None = None, **wish: Any) -> str:
        """Request a run under a key, so that a request whose answer was lost can be repeated."""
        path = f"orchestrations/{orchestration}/runs"
        answer = await (by or self.robot).post(path, wish, key=str(new_id()))
        return str(answer["job_id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.robot.get(f"jobs/{job_id}")
        return found

    async def ended(self, job_id: str, timeout: float = 60) -> dict[str, Any]:
        """Wait for the end of a job."""

        async def look() -> dict[str, Any]:
            self._check_alive()
            job = await self.job(job_id)
            if job["finished_at"] is None:
                await asyncio.sleep(LOOK_SECONDS)
            assert job["finished_at"] is not None, job
            return job

        return await eventually(look, timeout)

    async def phases(self, job_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.robot.get(f"jobs/{job_id}/tasks"))["phases"]
        return found

    async def runs(self, orchestration: str, **filters: str) -> list[dict[str, Any]]:
        """Newest first; filtered by fields, as `origin="trigger"`."""
        found = (await self.robot.get(f"orchestrations/{orchestration}/runs?limit=500"))["items"]
        return [run for run in found if all(run[key] == value for key, value in filters.items())]

    async def explain(self, orchestration: str, trigger: str) -> dict[str, Any]:
        """Why a trigger did or did not start its orchestration."""
        found = await self.robot.get(f"orchestrations/{orchestration}/triggers/{trigger}")
        explanation: dict[str, Any] = await self.robot.get(f"triggers/{found['id']}/explanation")
        return explanation

    async def at_rest(self, timeout: float = 60) -> None:
        """Wait until nobody has anything left to do: then what happened can be counted."""

        async def look() -> bool:
            self._check_alive()
            (row,) = await self.database.fetch(LEFT_TO_DO)
            left = {key: value for key, value in row.items() if value}
            if left:
                await asyncio.sleep(LOOK_SECONDS)
            assert not left, left
            return True

        await eventually(look, timeout)

    async def drained(self) -> None:
        """Wait until no queue holds a message; the broker counts quorum queues every 5 s only."""

        def look() -> bool:
            counts = {name: queue.get("messages", 0) for name, queue in self.broker.queues().items()}
            left = {name: count for name, count in counts.items() if count and name != DEAD_LETTERS}
            assert not left, left
            return True

        await eventually(look, 30)

    async def dead_letters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.person.get("/v1/dead-letters"))["items"]
        return found

    async def publish(self, exchange: str, key: str, body: bytes) -> None:
        """A message from outside, as the broker's administrator."""
        async with asyncio.timeout(60), await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel()
            to = await channel.get_exchange(exchange, ensure=False)
            await to.publish(aio_pika.Message(body, delivery_mode=2), key)

    def kill(self, name: str) -> None:
        """SIGKILL, for the service alone."""
        self.killed.add(name)
        self[name].kill()

    async def restart(self, name: str) -> None:
        """Start it again and wait until it is ready."""
        self[name].start()
        self.killed.discard(name)
        await self[name].ready(READY_SECONDS)

    def exit_codes(self) -> dict[str, int]:
        """Of services that do not run any more."""
        return {
            name: service.exit_code
            for name, service in self.services.items()
            if service.exit_code is not None
        }

    def _check_alive(self) -> None:
        """No AssertionError: waiting on would be in vain."""
        died = {name: code for name, code in self.exit_codes().items() if name not in self.killed}
        if died:
            raise RuntimeError(f"died by themselves, with exit codes: {died}")

    def tell(self) -> None:
        """Print what the services logged since the last time: pytest shows it if the test failed."""
        for name, service in self.services.items():
            text = service.log.read_bytes() if service.log.exists() else b""
            new = text[self.seen.get(name, 0) :].decode(errors="replace").splitlines()
            self.seen[name] = len(text)
            print(f"--- {name} (exit code {service.exit_code})")
            print(*(line for line in map(_readable, new[-60:]) if line), sep="\n")

    async def end(self) -> None:
        for client in self.clients:
            await client.aclose()
        for service in self.services.values():
            service.clean_up()


def _readable(line: str) -> str:
    """A line of a log, short; without what follows from the users' rights."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    at, level, event = (str(entry.pop(key, "")) for key in ("timestamp", "level", "event"))
    if event.endswith("topology_not_permitted"):
        return ""
    for key in ("logger", "service"):
        entry.pop(key, None)
    rest = " ".join(f"{key}={value}" for key, value in entry.items())
    return f"{at[11:23]} {level} {event} {rest}"[:1500]


@contextlib.asynccontextmanager
async def open_stack(
    folder: Path,
    *,
    replicas: int = 1,
    proxied: bool = False,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    database: Database | None = None,
    python: Path | None = None,
) -> AsyncIterator[Stack]:
    """A running stack; `settings` are environment variables by service ("all" for every one)."""
    async with contextlib.AsyncExitStack() as exits:
        if database is None:
            database = await exits.enter_async_context(databases.migrated_database())
        broker = exits.enter_context(fresh_vhost(servers.rabbitmq()))
        await _declare(broker)
        network = Network()
        if proxied:
            network.database = await exits.enter_async_context(_proxy(database.url, 5432))
            network.broker = await exits.enter_async_context(_proxy(broker.url, 5672))
        mails = SmtpSink()
        mails.start()
        exits.callback(mails.stop)
        ledger = Ledger(folder / "ledger.jsonl")
        url = f"http://127.0.0.1:{free_port()}"
        environment = {
            name: {
                **_servers(name, database, broker, network),
                **QUICK[name],
                LEDGER_VARIABLE: str(ledger.file),
                "ORCHESTRATOR_PUBLIC_URL": url,
                "ORCHESTRATOR_SMTP_HOST": mails.host,
                "ORCHESTRATOR_SMTP_PORT": str(mails.port),
                **(settings or {}).get("all", {}),
                **(settings or {}).get(name, {}),
            }
            for name in MODULES
        }
        stack = Stack(database, broker, mails, ledger, network, folder, environment, url, replicas, python)
        try:
            await stack.start()
            yield stack
        finally:
            stack.tell()
            await stack.end()


def _servers(name: str, database: Database, broker: BrokerVhost, network: Network) -> dict[str, str]:
    database_url = database.url_for(name.replace("-", "_"))
    configure, write, read = RIGHTS[name]
    amqp_url = broker.grant(name, configure=configure, write=write, read=read)
    return {
        "ORCHESTRATOR_DATABASE_URL": network.database.url(database_url) if network.database else database_url,
        "ORCHESTRATOR_AMQP_URL": network.broker.url(amqp_url) if network.broker else amqp_url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "PATH": os.environ["PATH"],
    }


@contextlib.asynccontextmanager
async def _proxy(url: str, default_port: int) -> AsyncIterator[TcpProxy]:
    parts = urlsplit(url)
    async with TcpProxy(parts.hostname or "127.0.0.1", parts.port or default_port) as proxy:
        yield proxy


async def _declare(broker: BrokerVhost) -> None:
    """What an administrator does once, since the services' users may not configure."""
    async with asyncio.timeout(30), await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        await declare(channel, *(queue for queue in QUEUES if not queue.feed))
