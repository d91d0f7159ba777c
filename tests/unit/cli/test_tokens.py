"""`orchestrator tokens`: which address each asks, and what is shown."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

ID = "01a22a90-5d33-7a53-90df-0a520c115ff6"
TIMES = {
    "created_by": "a@b.c",
    "created_at": None,
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
ADMINISTRATOR = {"id": ID, "name": "administrator", "email": "a@b.c", "from_setting": True, **TIMES}
LOADER = {
    "id": ID,
    "name": "loader",
    "description": "loads at night",
    "prefix": "orc_ab12cd34",
    "scopes": ["publish", "run"],
    "components": ["orchestrator"],
    "buckets": ["in.c-crm", "in.c-shop"],
    **TIMES,
}
ANSWERS: dict[str, Any] = {
    "GET /v1/tokens": [ADMINISTRATOR],
    "GET /v1/projects/demo/tokens": [LOADER],
    f"GET /v1/projects/demo/tokens/{ID}": LOADER,
    f"GET /v1/tokens/{ID}": ADMINISTRATOR,
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
        if request.method == "PATCH":
            return httpx.Response(200, json=json.loads(request.content))
        found = ANSWERS[seen[-1]]
        return httpx.Response(200, json={"items": found, "next": None} if isinstance(found, list) else found)

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.parametrize(
    ("arguments", "address", "shows"),
    [
        ("tokens list --instance", "GET /v1/tokens", "everything, as a@b.c"),
        ("tokens create robot --scope run", "POST /v1/projects/demo/tokens", "orc_text"),
        (
            "tokens list",
            "GET /v1/projects/demo/tokens",
            "publish to in.c-crm and in.c-shop, run orchestrator valid",
        ),
        (f"tokens show {ID}", f"GET /v1/projects/demo/tokens/{ID}", "loads at night"),
        (f"tokens show {ID} --instance", f"GET /v1/tokens/{ID}", "everything, as a@b.c"),
        (f"tokens change {ID} --name x", f"PATCH /v1/projects/demo/tokens/{ID}", "changed"),
        (f"tokens change {ID} --never-expires", f"PATCH /v1/projects/demo/tokens/{ID}", "changed"),
        (f"tokens refresh {ID}", f"POST /v1/projects/demo/tokens/{ID}/refresh", "orc_text"),
        (f"tokens revoke {ID}", f"DELETE /v1/projects/demo/tokens/{ID}", "revoked"),
        (f"tokens revoke {ID} --instance", f"DELETE /v1/tokens/{ID}", "revoked"),
    ],
)
def test_each_asks_its_address(
    asked: list[str], capsys: pytest.CaptureFixture[str], arguments: str, address: str, shows: str
) -> None:
    assert main(arguments.split()) == 0
    method, _, path = address.partition(" ")
    reads_first = [f"GET {path}"] if method in ("PATCH", "DELETE") else []
    assert asked == [*reads_first, address]
    assert shows in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("given", ["", " --expires 2027-06-30T00:00:00Z --never-expires"])
def test_a_change_that_says_nothing_or_two_things_is_refused(
    asked: list[str], capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert main(f"tokens change {ID}{given}".split()) != 0
    assert asked == []
    assert "--never-expires" in capsys.readouterr().err
