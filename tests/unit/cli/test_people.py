"""`orchestrator people`, `members` and `whoami`: what each asks, and what is shown."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

ID = "01a22a90-5d33-7a53-90df-0a520c115ff6"
MEMBERS = "/v1/projects/demo/members"
PERSON = {"id": ID, "email": "Ada@Example.com", "name": "Ada", "is_administrator": False}
TIMES = {"etag": '"e"', "disabled_at": "2026-11-30T12:00:00Z", "created_at": "2026-11-29T12:00:00Z"}
MEMBER = {**PERSON, **TIMES, "person_id": ID, "role": "viewer", "may_run": True, "source": "manual"}
LINK = {"person_id": ID, "purpose": "invite", "expires_at": "2026-12-07T12:00:00Z"}
NOTHING = {"theme": None, "timezone": None, "single_keys": None, "page_size": None}
ME: dict[str, Any] = {
    "preferences": NOTHING,
    "person": PERSON, "memberships": [{"project": "demo", "role": "viewer", "may_run": True}], "token": None,
}  # fmt: skip
BODIES = list[tuple[str, Any]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> BODIES:
    seen: BODIES = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.raw_path.decode().partition("?")[0]
        shown = "show_link=true" in str(request.url)
        if request.method != "GET":
            seen.append((f"{request.method} {path}{' shown' if shown else ''}", body))
            if path == "/v1/me":
                return httpx.Response(200, json={"preferences": {**NOTHING, "theme": "dark"}})
            return httpx.Response(200, json={**LINK, "link": "/links/text" if shown else None})
        if path == "/v1/me":
            return httpx.Response(200, json=ME)
        return httpx.Response(200, json={"items": [MEMBER], "next": None})

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.parametrize(
    ("arguments", "request_", "body", "shows"),
    [
        (
            "people invite b@c.d --link --administrator", "POST /v1/people shown",
            {"email": "b@c.d", "is_administrator": True}, "http://server:1/links/text",
        ),
        ("people reset ada@example.com", f"POST /v1/people/{ID}/reset", {}, "mailed a link"),
        ("people reset ada@example.com --link", f"POST /v1/people/{ID}/reset shown", {}, "/links/text"),
        ("people disable ada@example.com", f"PATCH /v1/people/{ID}", {"disabled": True}, "disabled"),
        ("people enable ada@example.com", f"PATCH /v1/people/{ID}", {"disabled": False}, "enabled"),
        ("people unlink ada@example.com", f"DELETE /v1/people/{ID}/identity", None, "links it again"),
        (
            "members invite b@c.d viewer --may-run --name Bob", f"POST {MEMBERS}",
            {"email": "b@c.d", "role": "viewer", "may_run": True, "name": "Bob"},
            "is now viewer who may run in demo",
        ),
        (
            "members role ada@example.com admin", f"PUT {MEMBERS}/{ID}",
            {"role": "admin", "may_run": False}, "is now admin in demo",
        ),
        (
            "me change --theme dark --no-single-keys --forget page-size", "PATCH /v1/me",
            {"preferences": {"theme": "dark", "single_keys": False, "page_size": None}}, "theme dark",
        ),
        ("members remove ada@example.com", f"DELETE {MEMBERS}/{ID}", None, "removed"),
    ],
)  # fmt: skip
def test_each_asks_its_address(
    asked: BODIES, capsys: pytest.CaptureFixture[str], arguments: str, request_: str, body: Any, shows: str
) -> None:
    assert main(arguments.split()) == 0
    assert asked == [(request_, body)]
    assert shows in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "shows"),
    [
        ("people list", "Ada@Example.com Ada disabled 2026-11-30 12:00:00"),
        ("members list", "Ada@Example.com Ada viewer, may run by hand disabled 2026-11-29 12:00:00"),
        ("me show", "timezone as the browser"),
        ("whoami", "Ada <Ada@Example.com> viewer who may run in demo"),
    ],
)
def test_each_shows(asked: BODIES, capsys: pytest.CaptureFixture[str], arguments: str, shows: str) -> None:
    assert main(arguments.split()) == 0
    assert shows in " ".join(capsys.readouterr().out.split())
    assert asked == []


@pytest.mark.parametrize(
    ("source", "shown"),
    [("provider", "groups at the identity provider disabled"), (None, "may run disabled")],
)
def test_a_member_of_a_group_is_told_from_others(
    asked: BODIES,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    source: str | None,
    shown: str,
) -> None:
    """An older server does not say where a role comes from."""
    monkeypatch.setitem(MEMBER, "source", source)
    assert main(["members", "list"]) == 0
    assert shown in " ".join(capsys.readouterr().out.split())


def test_a_token_is_shown_with_its_scopes(
    asked: BODIES, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = {"id": ID, "name": "robot", "project": "demo", "scopes": ["read", "run"], "components": []}
    monkeypatch.setitem(ME, "person", None)
    monkeypatch.setitem(ME, "token", token)
    assert main(["whoami"]) == 0
    assert capsys.readouterr().out == "the token robot of demo: read, run\n"


def test_whoami_tells_the_server_and_the_token(
    asked: BODIES, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ME, "person", {**ME["person"], "name": ME["person"]["email"]})
    monkeypatch.setitem(ME, "token", {"id": ID, "name": "command line on laptop"})
    assert main(["whoami"]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == ME["person"]["email"]
    assert last == "at http://server:1, with the token command line on laptop"


def test_an_unknown_address_is_said(asked: BODIES, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "disable", "ghost@example.com"]) != 0
    assert "no one here has the address ghost@example.com" in capsys.readouterr().err
    assert asked == []
