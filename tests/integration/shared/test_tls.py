"""TLS to database and broker with an authority of one's own, and clear words if a certificate is wrong."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from tests.support.brokers import BrokerVhost
from tests.support.certificates import Authority
from tests.support.databases import Database
from tests.support.tls_front import tls_front

from orchestrator_shared.database.pool import close_pool, open_pool
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.settings import BrokerSettings, DatabaseSettings, load_settings

HOST = "localhost"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def others(folder: Path) -> Authority:
    return Authority(folder, "others")


def at(url: str, port: int, *, query: str = "", scheme: str = "") -> str:
    """The URL, by way of a front."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(
        parts._replace(scheme=scheme or parts.scheme, netloc=f"{credentials}@{HOST}:{port}", query=query)
    )


def database_settings(url: str, ca_file: Path | None) -> DatabaseSettings:
    values: dict[str, Any] = {
        "database_url": url,
        "database_ca_file": ca_file,
        "startup_timeout_seconds": 0.1,
    }
    return load_settings(DatabaseSettings, **values)


async def uses_database(url: str, ca_file: Path | None) -> None:
    """Raises what a service would end with."""
    pool = await open_pool(database_settings(url, ca_file), application_name="tls")
    assert await pool.fetchval("SELECT 1") == 1
    await close_pool(pool)


async def uses_broker(url: str, ca_file: Path | None) -> None:
    settings = load_settings(BrokerSettings, amqp_url=url, amqp_ca_file=ca_file)
    async with Broker.open(settings.amqp_url, name="tls", start_timeout=0.5, queues=()) as broker:
        assert broker.publishing.connected


async def test_the_database_is_reached_with_the_authority_that_signed_it(
    database: Database, ours: Authority
) -> None:
    async with tls_front(database.url, ours.serving(HOST), asks_first=True) as port:
        await uses_database(at(database.url, port), ours.file)


async def test_a_client_certificate_is_shown_to_the_database(database: Database, ours: Authority) -> None:
    mine = ours.issue("api")
    async with tls_front(database.url, ours.serving(HOST, clients=ours), asks_first=True) as port:
        await uses_database(at(database.url, port, query=f"sslcert={mine}&sslkey={mine}"), ours.file)
        with pytest.raises(Unavailable):
            await uses_database(at(database.url, port), ours.file)


@pytest.mark.parametrize(
    ("host", "days", "trusts", "reason"),
    [
        (HOST, 1, "others", "unable to get local issuer certificate"),
        ("db.internal", 1, "ours", "Hostname mismatch, certificate is not valid for 'localhost'"),
        (HOST, -1, "ours", "certificate has expired"),
    ],
)
async def test_a_wrong_certificate_of_the_database_is_refused_and_named(
    database: Database, request: pytest.FixtureRequest, host: str, days: int, trusts: str, reason: str
) -> None:
    ours: Authority = request.getfixturevalue("ours")
    trusted: Authority = request.getfixturevalue(trusts)
    async with tls_front(database.url, ours.serving(host, days=days), asks_first=True) as port:
        with pytest.raises(Unavailable) as caught:
            await uses_database(at(database.url, port), trusted.file)
    assert f"its certificate is refused: {reason}" in str(caught.value)
    assert "ORCHESTRATOR_DATABASE_URL" in str(caught.value)


async def test_a_database_without_tls_is_refused(database: Database, ours: Authority) -> None:
    with pytest.raises(Exception, match="rejected SSL upgrade"):
        await uses_database(database.url, ours.file)


async def test_the_broker_is_reached_with_the_authority_that_signed_it(
    broker: BrokerVhost, ours: Authority
) -> None:
    async with tls_front(broker.url, ours.serving(HOST), asks_first=False) as port:
        await uses_broker(at(broker.url, port, scheme="amqps"), ours.file)


async def test_a_client_certificate_is_shown_to_the_broker(broker: BrokerVhost, ours: Authority) -> None:
    mine = ours.issue("runner")
    async with tls_front(broker.url, ours.serving(HOST, clients=ours), asks_first=False) as port:
        query = f"certfile={mine}&keyfile={mine}"
        await uses_broker(at(broker.url, port, scheme="amqps", query=query), ours.file)


@pytest.mark.parametrize(
    ("host", "trusts", "reason"),
    [
        (HOST, "others", "unable to get local issuer certificate"),
        ("mq.internal", "ours", "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
async def test_a_wrong_certificate_of_the_broker_is_refused_and_named(
    broker: BrokerVhost, request: pytest.FixtureRequest, host: str, trusts: str, reason: str
) -> None:
    ours: Authority = request.getfixturevalue("ours")
    trusted: Authority = request.getfixturevalue(trusts)
    async with tls_front(broker.url, ours.serving(host), asks_first=False) as port:
        with pytest.raises(Unavailable) as caught:
            await uses_broker(at(broker.url, port, scheme="amqps"), trusted.file)
    assert f"its certificate is refused: {reason}" in str(caught.value)
    assert "ORCHESTRATOR_AMQP_URL" in str(caught.value)
