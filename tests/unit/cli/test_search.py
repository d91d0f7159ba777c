"""`orchestrator search`."""

from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

FOUND: dict[str, Any] = {
    "orchestrations": [{"id": "campaigns", "name": "Campaigns"}],
    "runs": [{"id": "r", "orchestration": "campaigns", "number": 42, "status": "error"}],
    "configurations": [{"component": "csv-writer", "id": "out", "name": "Out"}],
    "tables": [{"project": "demo", "name": "in.c-crm.contacts"}],
    "jobs": [{"id": "j", "component": "x", "configuration": "y", "number": 1, "status": "success"}],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params["q"])
        return httpx.Response(200, json=FOUND if "x" not in seen[-1] else {kind: [] for kind in FOUND})

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


def test_a_search_lists_what_was_found_by_kind(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "campaigns", "42"]) == 0
    _, *rows = capsys.readouterr().out.splitlines()
    assert asked == ["campaigns 42"]
    assert [row.split()[:2] for row in rows] == [
        ["orchestration", "campaigns"],
        ["run", "campaigns#42"],
        ["configuration", "csv-writer/out"],
        ["table", "in.c-crm.contacts"],
        ["job", "j"],
    ]
    assert main(["search", "x"]) == 0
    assert capsys.readouterr().err == "Nothing matches.\n"
