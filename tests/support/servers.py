"""One PostgreSQL and one RabbitMQ for a whole test run, started when first needed and ended with the run.

The pytest process that controls the run holds a lock on the file `alive` in the run's folder. A server is
started by whichever worker needs it first, under a file lock, inside a holder process that waits for `alive`:
the kernel frees that lock however the run ends, and the holder then ends its server.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_local.servers.processes import is_alive, tail, wait_until
from orchestrator_local.servers.rabbitmq import RabbitServer, answers_amqp, answers_http

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "TEST_RUN_FOLDER"
DATABASE_VARIABLE = "TEST_DATABASE_URL"
AMQP_VARIABLE = "TEST_AMQP_URL"
MANAGEMENT_VARIABLE = "TEST_RABBITMQ_MANAGEMENT_URL"
METRICS_VARIABLE = "TEST_RABBITMQ_METRICS_URL"
CONTAINERS_VARIABLE = "TEST_CONTAINERS"
START_SECONDS = 120
PORTS = (5672, 15672, 15692)  # of RabbitMQ: AMQP, management, metrics
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 3 * 1024**3


@dataclass(frozen=True)
class PostgresAddress:
    """Where the superuser connects."""

    url: str


@dataclass(frozen=True)
class RabbitAddress:
    """Where an administrator connects, the HTTP API with user and password, and the node's own metrics."""

    url: str
    management_url: str
    metrics_url: str


class Run:
    """The folder of one test run, and the lock that says that it is alive."""

    def __init__(self, folder: Path, alive: IO[bytes]) -> None:
        self.folder = folder
        self._alive = alive

    @classmethod
    def begin(cls) -> "Run":
        folder = Path(tempfile.mkdtemp(prefix="orchestrator-tests-", dir=_place()))
        folder.chmod(0o711)  # a server that may not run as root must get to its folder
        alive = (folder / "alive").open("wb")
        fcntl.flock(alive, fcntl.LOCK_EX)
        os.environ[FOLDER_VARIABLE] = str(folder)
        return cls(folder, alive)

    def end(self, seconds: float = 20) -> None:
        self._alive.close()
        holders = [int(file.read_text()) for file in self.folder.glob("*.holder")]
        wait_until(lambda: not any(is_alive(pid) for pid in holders), seconds)
        os.environ.pop(FOLDER_VARIABLE, None)
        shutil.rmtree(self.folder, ignore_errors=True)


def _place() -> str | None:
    """Memory if there is plenty: a database is cloned there in 15 ms instead of 350."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    return str(MEMORY) if shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY else None


def run_folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


def private_folder(name: str) -> Path:
    """A folder for a server of a single test; it goes away with the run at the latest."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=run_folder()))


@contextlib.contextmanager
def private_rabbitmq() -> Iterator[RabbitServer]:
    """A node of its own for what stops, kills or blocks it."""
    server = RabbitServer(private_folder("rabbitmq"), management=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def locked(name: str) -> Iterator[Path]:
    """The run's folder, under a lock that all workers of the run share."""
    folder = run_folder()
    with (folder / f"{name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def postgres() -> PostgresAddress:
    if url := os.environ.get(DATABASE_VARIABLE):
        return PostgresAddress(url)
    return PostgresAddress(**_held("postgres"))


def rabbitmq() -> RabbitAddress:
    if url := os.environ.get(AMQP_VARIABLE):
        return RabbitAddress(
            url,
            os.environ.get(MANAGEMENT_VARIABLE) or _usual_management_url(url),
            os.environ.get(METRICS_VARIABLE) or f"http://{urlsplit(url).hostname}:15692/metrics",
        )
    return RabbitAddress(**_held("rabbitmq"))


def _usual_management_url(amqp_url: str) -> str:
    parts = urlsplit(amqp_url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(("http", f"{credentials}{at}{parts.hostname}:15672", "", "", ""))


def _held(kind: str) -> dict[str, str]:
    with locked(kind) as folder:
        address = folder / f"{kind}.json"
        if not address.exists():
            _start_holder(kind, folder, address)
        return dict(json.loads(address.read_text()))


def _start_holder(kind: str, folder: Path, address: Path) -> None:
    log = folder / f"{kind}-holder.log"
    with log.open("ab") as output:
        holder = subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers", "hold", kind],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    (folder / f"{kind}.holder").write_text(str(holder.pid))
    started = wait_until(lambda: address.exists() or holder.poll() is not None, START_SECONDS)
    if not started or not address.exists():
        holder.terminate()
        raise RuntimeError(f"the {kind} server for the tests did not start:\n{tail(log)}")
    holder.returncode = 0  # it outlives this process on purpose: no warning about a child left behind


@contextlib.contextmanager
def _private_postgres(folder: Path) -> Iterator[PostgresAddress]:
    server = PostgresServer(folder / "postgres", fast=True)
    try:
        server.start()
        yield PostgresAddress(server.url)
    finally:
        server.remove()


@contextlib.contextmanager
def _private_rabbitmq(folder: Path) -> Iterator[RabbitAddress]:
    server = RabbitServer(folder / "rabbitmq", management=True, metrics=True)
    try:
        server.start()
        yield RabbitAddress(server.url, server.management_url, server.metrics_url)
    finally:
        server.remove()


@contextlib.contextmanager
def _contained_postgres(_: Path) -> Iterator[PostgresAddress]:
    from testcontainers.community.postgres import PostgresContainer

    image = os.environ.get("POSTGRES_IMAGE", "postgres:18")
    with PostgresContainer(image, username="orchestrator", password="orchestrator") as container:
        yield PostgresAddress(container.get_connection_url(driver=None))


@contextlib.contextmanager
def _contained_rabbitmq(_: Path) -> Iterator[RabbitAddress]:
    from testcontainers.core.container import DockerContainer  # the ready-made one would need another client

    image = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4-management")
    settings = {"RABBITMQ_DEFAULT_USER": "orchestrator", "RABBITMQ_DEFAULT_PASS": "orchestrator"}
    with DockerContainer(image).with_envs(**settings).with_exposed_ports(*PORTS) as container:
        host = container.get_container_host_ip()
        amqp, management, metrics = (int(container.get_exposed_port(port)) for port in PORTS)
        if not wait_until(lambda: answers_amqp(host, amqp) and answers_http(host, management), START_SECONDS):
            raise RuntimeError(f"the container of {image} does not answer")
        who = "orchestrator:orchestrator"
        yield RabbitAddress(
            f"amqp://{who}@{host}:{amqp}/%2F",
            f"http://{who}@{host}:{management}",
            f"http://{host}:{metrics}/metrics",
        )


def _opened(kind: str, folder: Path) -> contextlib.AbstractContextManager[PostgresAddress | RabbitAddress]:
    contained = os.environ.get(CONTAINERS_VARIABLE) == "1"
    if kind == "postgres":
        return _contained_postgres(folder) if contained else _private_postgres(folder)
    return _contained_rabbitmq(folder) if contained else _private_rabbitmq(folder)


def _hold(kind: str) -> None:
    """Keep one server until the run is over."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = run_folder()
    with _opened(kind, folder) as address:
        scratch = folder / f"{kind}.json.new"
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(asdict(address)))
        scratch.rename(folder / f"{kind}.json")
        with (folder / "alive").open("rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_SH)


def _run(command: list[str]) -> int:
    """Start both servers, run a command with their URLs in its environment, end them."""
    run = Run.begin()
    try:
        began = time.monotonic()
        database, broker = postgres(), rabbitmq()
        print(f"PostgreSQL and RabbitMQ are up after {time.monotonic() - began:.1f} s", flush=True)
        environment = os.environ | {
            DATABASE_VARIABLE: database.url,
            AMQP_VARIABLE: broker.url,
            MANAGEMENT_VARIABLE: broker.management_url,
            METRICS_VARIABLE: broker.metrics_url,
        }
        environment.pop(FOLDER_VARIABLE)
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        run.end()


def main(arguments: list[str]) -> int:
    match arguments:
        case ["hold", ("postgres" | "rabbitmq") as kind]:
            _hold(kind)
            return 0
        case ["run", "--", *command] if command:
            return _run(command)
    print("usage: python -m tests.support.servers run -- COMMAND...", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
