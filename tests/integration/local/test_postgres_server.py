"""A private PostgreSQL server: start, restart, crash, a predecessor left running, clear errors."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.support import servers

from orchestrator_local.servers import account, postgres
from orchestrator_local.servers.postgres import BINARIES_VARIABLE, PostgresServer
from orchestrator_local.servers.processes import ServerError, is_alive, port_is_free


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    made = PostgresServer(servers.private_folder("postgres"), fast=True)
    yield made
    made.remove()


async def value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_data_port_and_password_survive_a_restart_and_a_crash(server: PostgresServer) -> None:
    server.start()
    url = server.url
    await value(url, "CREATE TABLE kept AS SELECT 7 AS seven")
    await value(url, "CHECKPOINT")
    server.stop()
    assert port_is_free(server.port)

    server.start()
    assert server.url == url
    server.kill()
    assert server.pid is None

    server.start()
    assert server.url == url
    assert await value(url, "SELECT seven FROM kept") == 7


async def test_it_is_utf8_on_loopback_and_asks_for_a_password(server: PostgresServer) -> None:
    server.start()
    assert await value(server.url, "SHOW server_encoding") == "UTF8"
    assert await value(server.url, "SHOW listen_addresses") == "127.0.0.1"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await value(server.url_for("postgres", password="wrong"), "SELECT 1")
    assert stat.S_IMODE((server.folder / "superuser-password").stat().st_mode) == 0o600


async def test_nothing_of_statements_is_in_its_log(server: PostgresServer) -> None:
    """Issue 8, 10: a failing statement was there with its literals, for every user to read."""
    server.folder.mkdir(exist_ok=True)
    server.log.write_text("of an earlier release")
    server.log.chmod(0o644)
    server.start()
    await value(server.url, "CREATE TABLE one (word text PRIMARY KEY)")
    await value(server.url, "INSERT INTO one VALUES ('geheim')")
    connection = await asyncpg.connect(server.url, timeout=30)
    for statement, parameters in (
        ("SELECT 'geheim'::integer", ()),
        ("SELEC 'geheim'", ()),
        ("INSERT INTO one VALUES ('geheim')", ()),
        ("SELECT ($1::text)::integer", ("geheim",)),
        ("DO $$ BEGIN RAISE WARNING 'geheim'; END $$", ()),
    ):
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute(statement, *parameters)
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await value(server.url_for("postgres", password="wrong"), "SELECT 1")
    server.stop()
    log = server.log.read_text()
    assert "geheim" not in log
    assert "password authentication failed" in log
    assert server.log.stat().st_mode & 0o777 == 0o600


def test_a_server_left_running_by_a_killed_predecessor_is_taken_over(server: PostgresServer) -> None:
    server.start()
    successor = PostgresServer(server.folder, fast=True)
    successor.start()
    assert (successor.pid, successor.url) == (server.pid, server.url)
    pid = successor.pid
    successor.stop()
    assert pid is not None
    assert not is_alive(pid)


def test_a_stale_pid_file_does_not_stop_it(server: PostgresServer) -> None:
    server.start()
    server.stop()
    # Our own pid is alive, but it is no server on this data.
    (server.folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    server.start()
    assert server.pid not in {None, os.getpid()}


def test_a_port_taken_meanwhile_is_exchanged(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = PostgresServer(servers.private_folder("postgres"), fast=True)
    try:
        blocker.start()
        monkeypatch.setattr(postgres, "remembered_port", lambda _: blocker.port)
        server.start()
        assert server.port != blocker.port
    finally:
        blocker.remove()


def test_a_failed_start_shows_the_end_of_the_log(server: PostgresServer) -> None:
    server._settings["max_connections"] = "many"
    with pytest.raises(ServerError, match="max_connections"):
        server.start()
    assert server.pid is None


def test_a_lost_password_is_told_instead_of_data_being_thrown_away(server: PostgresServer) -> None:
    server.start()
    server.stop()
    (server.folder / "superuser-password").unlink()
    with pytest.raises(ServerError, match="superuser-password is missing; delete"):
        server.start()


def test_missing_programs_are_told_with_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BINARIES_VARIABLE, str(tmp_path))
    with pytest.raises(ServerError, match=BINARIES_VARIABLE):
        postgres.find_binaries()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_a_folder_closed_to_the_servers_account_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = servers.private_folder("relocated")
    place.chmod(0o711)
    monkeypatch.setattr(account, "RELOCATED", place / "here")
    closed = servers.private_folder("closed")
    closed.chmod(0o700)
    programs = tmp_path / "closed-too" / "pginstall18"  # pytest's folders are closed to others
    programs.parent.mkdir(mode=0o700)
    programs.symlink_to(postgres.find_binaries().parent)
    server = PostgresServer(closed / "postgres", fast=True)
    try:
        server.start()
        assert server.pid is not None
        assert (place / "here").is_dir()
        shutil.rmtree(server.folder)  # as `make clean` does; the data elsewhere is an orphan now
        successor = PostgresServer(closed / "postgres", fast=True)
        successor.start()
        assert successor.pid is not None
        successor.remove()
    finally:
        server.remove()
    left = [path.name for path in (place / "here").iterdir()]
    assert all(name.startswith("programs-") for name in left), "programs may stay for the next server"
