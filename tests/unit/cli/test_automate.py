"""`orchestrator automate` and `usages`: what is sent, and what is shown."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

MADE = {"id": "orders", "warnings": ["no one is notified"], "next_fire": "2026-11-22T05:30:00Z"}
USAGE = {
    "orchestration": "daily",
    "orchestration_enabled": True,
    "phase": "Extract",
    "task": "csv/orders",
    "task_enabled": False,
    "version": None,
}
PINNED = {**USAGE, "orchestration": "weekly", "orchestration_enabled": False, "version": 3}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/projects/demo/")
        if request.method == "POST":
            seen.append((path, json.loads(request.content)))
            return httpx.Response(201, json=MADE)
        seen.append(path)
        return httpx.Response(200, json={"items": [USAGE, PINNED], "next": None})

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


def test_automating(sent: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automate", "csv/orders", "--cron", "30 5 * * *", "--timezone", "Europe/Prague"]) == 0
    told = capsys.readouterr()
    assert told.out == "created orders, next fire 2026-11-22 05:30:00 UTC\n"
    assert told.err == "warning: no one is notified\n"
    assert main(["automate", "csv/orders", "--every", "3600", "--id", "o", "--name", "Orders"]) == 0
    assert main(["automate", "csv/orders"]) == 0
    assert sent == [
        (
            "configurations/csv/orders/automation",
            {"id": None, "name": None, "schedule": {"cron": "30 5 * * *", "timezone": "Europe/Prague"}},
        ),
        (
            "configurations/csv/orders/automation",
            {"id": "o", "name": "Orders", "schedule": {"every_seconds": 3600}},
        ),
        ("configurations/csv/orders/automation", {"id": None, "name": None, "schedule": None}),
    ]


def test_two_kinds_of_schedule(sent: list[Any]) -> None:
    assert main(["automate", "csv/orders", "--every", "3600", "--cron", "0 5 * * *"]) == ExitCode.BAD_INPUT
    assert sent == []


def test_usages(sent: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usages", "csv/orders"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["daily", "Extract", "csv/orders", "current", "inactive"]
    assert lines[2] == ["weekly", "Extract", "csv/orders", "3", "orchestration", "disabled"]
    assert main(["usages", "daily"]) == 0
    assert sent == ["configurations/csv/orders/usages", "orchestrations/daily/usages"]
