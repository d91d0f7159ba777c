"""`orchestrator db` on a real database: roles, migrations, status, and clear words when it cannot be."""

import asyncio
import secrets

import pytest
from tests.support.databases import SERVICES, Database

from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main


@pytest.fixture
async def target(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", empty_database.url)
    for service in SERVICES:
        monkeypatch.setenv(f"ORCHESTRATOR_DATABASE_PASSWORD_{service.upper()}", f"pw-{service}")
    return empty_database


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, list(arguments))


async def test_from_nothing_to_migrated(
    target: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"cli_{secrets.token_hex(3)}_"
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_ROLE_PREFIX", prefix)
    try:
        assert await run("db", "status") == ExitCode.RUN_FAILED
        assert "orchestrator db migrate" in capsys.readouterr().err
        assert await run("db", "migrate") == ExitCode.RUN_FAILED
        assert "orchestrator db roles" in capsys.readouterr().err
        assert await run("db", "roles") == ExitCode.OK
        assert f"{prefix}grafana" not in capsys.readouterr().out
        monkeypatch.setenv("ORCHESTRATOR_DATABASE_PASSWORD_GRAFANA", "pw-grafana")
        assert await run("db", "roles") == ExitCode.OK
        assert f"{prefix}notifier, {prefix}grafana" in capsys.readouterr().out
        assert await run("db", "migrate") == ExitCode.OK
        assert "applied 0001_" in capsys.readouterr().out
        assert await run("db", "migrate") == ExitCode.OK
        assert "up to date" in capsys.readouterr().out
        assert await run("db", "status") == ExitCode.OK
        async with target.connection() as connection:
            await connection.execute(
                "INSERT INTO catalog.projects (id, name, may_have_dots) VALUES ('tena.x', 'x', true)"
            )
        assert await run("db", "migrate") == ExitCode.OK
        assert "note: projects with dots: tena.x" in capsys.readouterr().out  # issue 8, 6
    finally:
        async with target.connection() as connection:
            for service in (*SERVICES, "grafana"):
                await connection.execute(f'DROP OWNED BY "{prefix}{service}"; DROP ROLE "{prefix}{service}"')


async def test_a_database_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", "postgresql://u:hidden-password@127.0.0.1:1/d")
    assert await run("db", "status") == ExitCode.UNREACHABLE
    said = capsys.readouterr().err
    assert "ORCHESTRATOR_DATABASE_URL" in said
    assert "hidden-password" not in said
    assert "Traceback" not in said


async def test_a_missing_password_is_named(
    target: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_terminal(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", no_terminal)
    monkeypatch.delenv("ORCHESTRATOR_DATABASE_PASSWORD_RUNNER")
    assert await run("db", "roles") == ExitCode.BAD_INPUT
    assert "ORCHESTRATOR_DATABASE_PASSWORD_RUNNER" in capsys.readouterr().err
