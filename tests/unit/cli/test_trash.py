"""`orchestrator trash`: what is shown, which address each command asks, and the question before purging."""

import io
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

GONE = {"deleted_at": "2026-11-21T08:00:00Z", "deleted_by": "a@b.c", "description": "", "version": 3}
DAILY = {"component": "orchestrator", "id": "daily", "name": "Daily", "schedules": 2, "triggers": 1, **GONE}
ORDERS = {"component": "csv", "id": "orders", "name": "orders", "schedules": 0, "triggers": 0, **GONE}
RESTORED = {**DAILY, "schedules": ["mornings"], "triggers": [], "errors": ["no"], "warnings": []}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path.removeprefix('/v1/projects/demo/')}")
        if request.method == "DELETE":
            return httpx.Response(204)
        found: Any = RESTORED if request.method == "POST" else {"items": [DAILY, ORDERS], "next": None}
        return httpx.Response(200, json=found)

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.usefixtures("asked")
def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trash", "list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == [
        "daily",
        "Daily",
        "2026-11-21",
        "08:00:00",
        "a@b.c",
        *["2", "schedules,", "1", "trigger"],
    ]
    assert lines[2] == ["csv/orders", "orders", "2026-11-21", "08:00:00", "a@b.c"]


def test_restoring(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trash", "restore", "daily"]) == 0
    told = capsys.readouterr()
    assert told.out == "restored daily\nschedules enabled again: mornings\n"
    assert told.err == "error: no\n"
    assert main(["trash", "restore", "csv/orders"]) == 0
    assert asked == ["POST trash/orchestrator/daily/restore", "POST trash/csv/orders/restore"]


def test_purging_asks_first(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer.confirm", lambda text, **_: print(text))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    assert main(["trash", "purge", "csv/orders"]) == 0
    assert "Delete csv/orders for good" in capsys.readouterr().out
    assert main(["trash", "purge", "daily", "--yes"]) == 0
    assert capsys.readouterr().out == "purged daily\n"
    assert asked == ["DELETE trash/csv/orders", "DELETE trash/orchestrator/daily"]


def test_purging_without_a_terminal_needs_yes(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["trash", "purge", "daily"]) == ExitCode.BAD_INPUT
    assert "pass --yes" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("name", ["a/", "/a", "a/b/c"])
def test_a_name_that_is_none(name: str, asked: list[str]) -> None:
    assert main(["trash", "restore", name]) == ExitCode.BAD_INPUT
    assert asked == []
