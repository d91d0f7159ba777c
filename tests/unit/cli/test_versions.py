"""`orchestrator orchestrations` and `configurations`: versions, differences, restoring and copying."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

VERSION = {"version": 2, "note": "more rows", "author": "a@b.c", "created_at": "2026-11-21T08:00:00Z"}
CHANGES = [
    {"path": "parameters.rows", "kind": "changed", "before": 1, "after": 2, "secret": False},
    {"path": "parameters.new", "kind": "added", "before": None, "after": {"x": [1]}, "secret": False},
    {"path": "parameters.old", "kind": "removed", "before": "y" * 200, "after": None, "secret": False},
    {"path": "parameters.#password", "kind": "changed", "before": "***", "after": "***", "secret": True},
    {"path": "parameters", "kind": "reordered", "before": ["a", "b"], "after": ["b", "a"], "secret": False},
]
RESTORED = {"version": 3, "changed": True, "warnings": ["it has no tasks yet: it cannot be run"]}
ANSWERS: dict[str, Any] = {
    "GET configurations/csv/orders/versions": {"items": [VERSION], "next": None},
    "GET configurations/csv/orders/versions/2": {**VERSION, "parameters": {"rows": 2}},
    "GET configurations/csv/orders/versions/1/diff/2": {"changes": CHANGES, "truncated": True},
    "GET orchestrations/daily/versions/1/diff/2": {"changes": [], "truncated": False},
    "POST orchestrations/daily/versions/1/restore": RESTORED,
    "POST configurations/csv/orders/versions/2/restore": {"version": 2, "changed": False},
    "POST configurations/csv/orders/copies": {"id": "more"},
    "POST orchestrations/daily/copies": {"id": "weekly", "enabled": False},
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.content:
            bodies.append(json.loads(request.content))
        path = request.url.path.removeprefix("/v1/projects/demo/")
        return httpx.Response(200, json=ANSWERS[f"{request.method} {path}"])

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return bodies


@pytest.mark.usefixtures("sent")
def test_the_list_of_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configurations", "versions", "csv/orders"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["2", "2026-11-21", "08:00:00", "a@b.c", "more", "rows"]
    assert main(["configurations", "show-version", "csv/orders", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == {"rows": 2}


@pytest.mark.usefixtures("sent")
def test_differences_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configurations", "diff", "csv/orders", "1", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "~ parameters.rows: 1 → 2"
    assert lines[1] == '+ parameters.new: {"x": [1]}'
    assert lines[2].startswith('- parameters.old: "yyy')
    assert lines[2].endswith("…")
    assert lines[3:] == [
        "~ parameters.#password: another secret",
        '~ parameters: other order of keys: ["b", "a"]',
        "… and more changes",
    ]
    assert main(["orchestrations", "diff", "daily", "1", "2"]) == 0
    assert capsys.readouterr().out == "no differences\n"


def test_restoring(sent: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["orchestrations", "restore", "daily", "1", "--note", "as it was"]) == 0
    told = capsys.readouterr()
    assert told.out == "restored version 1 as version 3\n"
    assert told.err == "warning: it has no tasks yet: it cannot be run\n"
    assert main(["configurations", "restore", "csv/orders", "2"]) == 0
    assert capsys.readouterr().out == "no changes: version 2 is the same as version 2\n"
    assert sent == [{"note": "as it was"}, {"note": ""}]


def test_copying(sent: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configurations", "copy", "csv/orders", "more"]) == 0
    assert main(["orchestrations", "copy", "daily", "weekly", "--with", "schedules", "--name", "Weekly"]) == 0
    assert capsys.readouterr().out == "copied to more\ncopied to weekly, which is disabled\n"
    assert sent == [
        {"id": "more", "name": None},
        {"id": "weekly", "name": "Weekly", "include": ["schedules"]},
    ]


@pytest.mark.parametrize("name", ["orders", "/orders", "csv/", "a/b/c"])
@pytest.mark.usefixtures("sent")
def test_a_name_that_is_no_configuration(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configurations", "versions", name]) == ExitCode.BAD_INPUT
    assert "expected component/configuration" in capsys.readouterr().err
