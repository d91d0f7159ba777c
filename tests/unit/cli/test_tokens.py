"""`orchestrator tokens` and `audit`: which address each asks, and what is shown."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

ID = "01a22a90-5d33-7a53-90df-0a520c115ff6"
TIMES = {"created_at": None, "expires_at": None, "revoked_at": None, "last_used_at": None}
ANSWERS: dict[str, Any] = {
    "GET /v1/tokens": [{"id": ID, "name": "administrator", "email": "a@b.c", "from_setting": True, **TIMES}],
    "GET /v1/projects/demo/tokens": [
        {"id": ID, "name": "loader", "scopes": ["run"], "components": ["orchestrator"], **TIMES}
    ],
    "GET /v1/audit": [
        {
            "at": "2026-11-21T08:00:00Z",
            "actor": "a@b.c",
            "action": "project.created",
            "subject": "p",
            "detail": {},
        }
    ],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            return httpx.Response(201, json={"token": "orc_text", **json.loads(request.content)})
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, json={"items": ANSWERS[seen[-1]], "next": None})

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.parametrize(
    ("arguments", "address", "shows"),
    [
        ("tokens list", "GET /v1/projects/demo/tokens", "[orchestrator]"),
        ("tokens list --instance", "GET /v1/tokens", "everything, as a@b.c"),
        ("tokens create robot --scope run", "POST /v1/projects/demo/tokens", "orc_text"),
        (f"tokens revoke {ID}", f"DELETE /v1/projects/demo/tokens/{ID}", "revoked"),
        (f"tokens revoke {ID} --instance", f"DELETE /v1/tokens/{ID}", "revoked"),
        ("audit --instance", "GET /v1/audit", "project.created"),
    ],
)
def test_each_asks_its_address(
    asked: list[str], capsys: pytest.CaptureFixture[str], arguments: str, address: str, shows: str
) -> None:
    assert main(arguments.split()) == 0
    assert asked == [address]
    assert shows in " ".join(capsys.readouterr().out.split())
