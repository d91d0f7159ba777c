"""A private RabbitMQ server: start, kill, restart on the same ports, a predecessor left running."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest
from tests.support.servers import private_rabbitmq

from orchestrator_local.servers import rabbitmq
from orchestrator_local.servers.processes import ServerError, is_alive, port_is_free
from orchestrator_local.servers.rabbitmq import HOME_VARIABLE, RabbitServer

LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def listening(ports: list[int]) -> set[tuple[int, str]]:
    """Port and local address of each of these listening ports, from the kernel's table."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, port = address.partition(":")
            if state == "0A" and int(port, 16) in ports:
                found.add((int(port, 16), host))
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[RabbitServer]:
    """One for both tests that need a real one; the second one ends it."""
    if rabbitmq.find_server() is None and not os.environ.get("CI"):
        pytest.skip("RabbitMQ is not installed on this machine")
    with private_rabbitmq() as made:
        yield made


@pytest.mark.xdist_group("private-rabbitmq")
def test_it_listens_on_loopback_only_and_obeys_its_control_program(server: RabbitServer) -> None:
    ports = server.ports
    found = listening([ports.amqp, ports.management, ports.distribution, ports.epmd])
    assert {port for port, _ in found} == {ports.amqp, ports.management, ports.distribution, ports.epmd}
    assert {address for _, address in found} <= LOOPBACK
    server.control("add_vhost", "other")
    assert "other" in server.control("list_vhosts")
    with pytest.raises(ServerError, match="list_nothing"):
        server.control("list_nothing")


def test_a_node_that_is_not_running_is_not_controlled(tmp_path: Path) -> None:
    """rabbitmqctl would start a port mapper (epmd) that no one ends."""
    program, called = tmp_path / "sbin" / "rabbitmqctl", tmp_path / "called"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {called}\n")
    program.chmod(0o700)
    with pytest.raises(ServerError, match="is not running: call start"):
        RabbitServer(tmp_path / "node", home=tmp_path).control("status")
    assert not called.exists()


@pytest.mark.xdist_group("private-rabbitmq")
async def test_messages_survive_a_restart_and_a_kill_ends_everything(
    server: RabbitServer,
) -> None:
    url, ports = server.url, server.ports
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"hello", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, routing_key=queue.name)

    server.stop()
    assert server.pid is None
    assert ports.are_free()

    server.start()
    assert server.url == url
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("kept")
        assert (await queue.get(timeout=30)).body == b"hello"

    successor = RabbitServer(server.folder, management=True)
    successor.start()
    assert (successor.pid, successor.url) == (server.pid, url)
    epmd = int((server.folder / "epmd.pid").read_text())
    assert is_alive(epmd)
    successor.kill()
    assert not is_alive(epmd)
    assert ports.are_free()


def test_a_start_that_fails_shows_the_end_of_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "rabbitmq_server-0"
    (home / "sbin").mkdir(parents=True)
    program = home / "sbin" / "rabbitmq-server"
    program.write_text("#!/bin/sh\necho it is broken\nexit 1\n")
    program.chmod(0o755)
    server = RabbitServer(tmp_path / "folder", home=home)
    with pytest.raises(ServerError, match="it is broken"):
        server.start()
    assert port_is_free(server.ports.epmd)
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(server.ports.epmd) not in running


def test_a_home_without_a_server_is_told_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(ServerError, match=HOME_VARIABLE):
        rabbitmq.find_server()


def test_the_newest_of_several_versions_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("3.9.13", "3.10.8"):
        (tmp_path / f"rabbitmq_server-{version}" / "sbin").mkdir(parents=True)
        (tmp_path / f"rabbitmq_server-{version}" / "sbin" / "rabbitmq-server").touch()
    monkeypatch.setattr(rabbitmq, "PLACES", (f"{tmp_path}/rabbitmq_server-*",))
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    assert rabbitmq.find_server() == tmp_path / "rabbitmq_server-3.10.8"
