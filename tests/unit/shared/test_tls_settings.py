"""What a file of trusted certificates makes of the URLs, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.certificates import Authority

from orchestrator_shared.settings import BrokerSettings, DatabaseSettings, SettingsError, load_settings

DATABASE, BROKER = "postgresql://u:p@one:5432,two/name", "amqps://u:p@mq/vhost"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Authority(tmp_path_factory.mktemp("authority"), "ours").file


def database(**values: Any) -> str:
    return load_settings(DatabaseSettings, **{"database_url": DATABASE, **values}).database_url


def broker(**values: Any) -> str:
    return load_settings(BrokerSettings, **{"amqp_url": BROKER, **values}).amqp_url


def test_urls_stay_as_they_are_without_a_file() -> None:
    assert database() == DATABASE
    assert broker() == BROKER


def test_a_file_demands_the_certificate_of_the_host(file: Path) -> None:
    path = str(file).replace("/", "%2F")
    assert database(database_ca_file=file) == f"{DATABASE}?sslmode=verify-full&sslrootcert={path}"
    url = f"{DATABASE}?sslmode=verify-ca&sslcert=c"
    assert database(database_url=url, database_ca_file=file) == f"{url}&sslrootcert={path}"
    assert broker(amqp_ca_file=file) == f"{BROKER}?cafile={path}"
    assert (
        broker(amqp_url=f"{BROKER}?heartbeat=5", amqp_ca_file=file) == f"{BROKER}?heartbeat=5&cafile={path}"
    )


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_a_file_and_an_unverified_database_contradict_each_other(file: Path, mode: str) -> None:
    with pytest.raises(SettingsError, match=f"sslmode={mode}: remove it, or write verify-full"):
        database(database_url=f"{DATABASE}?sslmode={mode}", database_ca_file=file)


def test_a_file_and_an_unverified_broker_contradict_each_other(file: Path) -> None:
    with pytest.raises(SettingsError, match="begin ORCHESTRATOR_AMQP_URL with amqps://"):
        broker(amqp_url="amqp://u:p@mq/", amqp_ca_file=file)
    with pytest.raises(SettingsError, match="remove no_verify_ssl"):
        broker(amqp_url=f"{BROKER}?no_verify_ssl=1", amqp_ca_file=file)


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"ORCHESTRATOR_AMQP_CA_FILE: .*no certificate in PEM form"):
        broker(amqp_ca_file=wrong)
    with pytest.raises(SettingsError, match=r"ORCHESTRATOR_DATABASE_CA_FILE: .*cannot read this file"):
        database(database_ca_file=tmp_path / "missing.pem")
