"""Fixtures that every test may use; a server is started only when the first test asks for one."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId
from hypothesis import settings
from tests.support import databases, servers
from tests.support.brokers import BrokerVhost, fresh_vhost
from tests.support.databases import Database
from tests.support.logs import plain_logs
from tests.support.service_forks import end_forks
from tests.support.service_process import AFRESH_VARIABLE, ServiceProcess
from tests.support.smtp_sink import SmtpSink
from tests.support.tcp_proxy import TcpProxy

from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_local.servers.rabbitmq import RabbitServer, find_server

RUN = pytest.StashKey[servers.Run]()


# A machine that stalls for a moment is no fault of an example. In CI, examples are the same each time.
settings.register_profile("any-machine", parent=settings(), deadline=None)
settings.load_profile("any-machine")


def pytest_configure(config: pytest.Config) -> None:
    plain_logs()
    # Otherwise each connection prepares for an encryption that the server then refuses.
    os.environ.setdefault("PGSSLMODE", "disable")
    _hear_interrupts()
    if not hasattr(config, "workerinput"):  # the process that controls the run, not a worker of it
        config.stash[RUN] = servers.Run.begin()


def pytest_collection_finish() -> None:
    """What has been imported lives on: looking through it for garbage again and again takes long."""
    gc.collect()
    gc.freeze()


def _hear_interrupts() -> None:
    """A run in the background ignores SIGINT; the programs that tests interrupt must not inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    end_forks()
    run = config.stash.get(RUN, None)
    if run is None:
        return
    try:
        if os.environ.get(servers.DATABASE_VARIABLE) and any(run.folder.glob("template-*.json")):
            asyncio.run(databases.remove_leftovers())
    finally:
        run.end()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """xdist 3.8 writes the group where pytest 9.2 does not look, and each group fell apart."""
    for item in items:
        grouped = getattr(item, "_nodeid", item.nodeid)
        if grouped != item.nodeid:
            item._id = NodeId.parse(grouped)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """A fresh, fully migrated database."""
    async with databases.migrated_database() as made:
        yield made


@pytest.fixture
async def empty_database() -> AsyncIterator[Database]:
    """A fresh database without any schema of ours."""
    async with databases.empty_database() as made:
        yield made


@pytest.fixture
def broker() -> Iterator[BrokerVhost]:
    """A fresh virtual host on the run's broker."""
    with fresh_vhost(servers.rabbitmq()) as vhost:
        yield vhost


@pytest.fixture
def private_broker() -> Iterator[RabbitServer]:
    """A broker that only this test uses and may stop, kill and start; takes about 6 s."""
    if find_server() is None and not os.environ.get("CI"):
        pytest.skip("RabbitMQ is not installed on this machine")
    with servers.private_rabbitmq() as server:
        yield server


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    """A database server that only this test uses and may stop, kill and start; takes about half a second."""
    server = PostgresServer(servers.private_folder("postgres"), fast=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


@pytest.fixture
async def tcp_proxy() -> AsyncIterator[Callable[[str, int], "asyncio.Future[TcpProxy]"]]:
    """`proxy = await tcp_proxy(host, port)`: a network that the test can cut, stall and resume."""
    proxies: list[TcpProxy] = []

    async def open_proxy(host: str, port: int) -> TcpProxy:
        proxy = TcpProxy(host, port)
        proxies.append(proxy)
        await proxy.start()
        return proxy

    yield lambda host, port: asyncio.ensure_future(open_proxy(host, port))
    for proxy in proxies:
        await proxy.close()


@pytest.fixture
def services_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the very start: each service is a program of its own, as in production."""
    monkeypatch.setenv(AFRESH_VARIABLE, "1")


@pytest.fixture
def service_process(tmp_path: Path) -> Iterator[Callable[[str, Mapping[str, str]], ServiceProcess]]:
    """`service = service_process("orchestrator_runner", env)`: started; wait with `await service.ready()`."""
    services: list[ServiceProcess] = []

    def launch(module: str, env: Mapping[str, str]) -> ServiceProcess:
        service = ServiceProcess(module, env, tmp_path)
        services.append(service)
        service.start()
        return service

    yield launch
    for service in services:
        service.clean_up()
        # pytest shows what is printed here only if the test failed
        print(f"--- the end of the log of {service.module}, port {service.port}\n{service.log_tail()}")
