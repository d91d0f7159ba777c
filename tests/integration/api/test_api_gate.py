"""Fault 11 of issue 8: every operation authorizes the caller before it reads the body."""

import json
from typing import Any

import pytest
from starlette.types import Message
from tests.integration.api.conftest import ADMIN_TOKEN, Client, RunningApi
from tests.unit.api.test_bounded_bodies import CROWD, nested

from orchestrator_api.openapi import description

VALUES = {
    "project": "demo",
    "component": "demo-extractor",
    "configuration": "one",
    "orchestration": "daily",
    "bucket": "in.c-x",
    "token": "orc_callback_00000000000000000000000000000000",
    "letter": "x",
}
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in json.loads(description())["paths"].items()
    for method, operation in item.items()
]
FOR_EVERYONE = {"/v1/me", "/v1/me/password"}
"""Of the bearer's own account: no scope is needed, but signing in is."""
WITH_BODY = [each for each in OPERATIONS if "requestBody" in each[2]]


def address(path: str) -> str:
    for name, value in VALUES.items():
        path = path.replace(f"{{{name}}}", value)
    for name in ("job", "schedule_id", "trigger_id"):
        path = path.replace(f"{{{name}}}", "0198c0de-0000-7000-8000-000000000001")
    return path.replace("{token}", "0198c0de-0000-7000-8000-000000000001").replace("{", "").replace("}", "")


async def asked(api: RunningApi, method: str, path: str, token: str | None, body: bytes) -> tuple[int, int]:
    """The status, and how often the body was requested."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("api", 80),
    }
    reads, said = 0, []

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await api.app(scope, receive, send)
    return said[0]["status"], reads


def test_every_operation_with_a_body_declares_what_it_needs() -> None:
    assert len(WITH_BODY) >= 20
    for method, path, operation in WITH_BODY:
        assert operation["x-max-body-bytes"] <= 1024 * 1024, (method, path)
        is_open = operation.get("security") == []
        assert is_open or operation["x-required-scopes"] or path in FOR_EVERYONE, (method, path)


@pytest.fixture
async def others(api: RunningApi, furnished: Client) -> dict[str, str]:
    """Tokens by what they lack."""
    await furnished.post("/v1/projects", {"id": "other"}, status=201)
    scopes = {"read": ["read"], "publish": ["tables"]}
    made = {}
    for name, given in scopes.items():
        made[name] = (await furnished.post("tokens", {"name": name, "scopes": given}, status=201))["token"]
    foreign = await Client(furnished.http, "other").post(
        "tokens", {"name": "f", "scopes": ["read", "configure", "run", "tables"]}, status=201
    )
    return {**made, "foreign": foreign["token"]}


async def test_no_body_is_read_for_whoever_may_not_ask(api: RunningApi, others: dict[str, str]) -> None:
    for method, path, operation in WITH_BODY:
        where = address(path)
        if operation.get("security") == []:
            is_secret = path == "/v1/callbacks/{token}"  # the others read bodies, but no large ones
            assert await asked(api, method, where, None, CROWD) == (404 if is_secret else 413, 0), path
            continue
        for token in (None, "", "x", "orc_wrong"):
            assert await asked(api, method, where, token, CROWD) == (401, 0), (method, path)
        if "/projects/{project}" in path:
            assert await asked(api, method, where, others["foreign"], CROWD) == (404, 0), (method, path)
        if path in FOR_EVERYONE:
            continue
        needs = operation["x-required-scopes"]
        lacking = others["read" if "publish" in needs else "publish"]
        assert await asked(api, method, where, lacking, CROWD) == (403, 0), (method, path)


@pytest.mark.parametrize("body", [CROWD, nested(95, 250_000)], ids=["crowd", "nested"])
async def test_heavy_bodies_are_refused_everywhere(api: RunningApi, furnished: Client, body: bytes) -> None:
    for method, path, operation in WITH_BODY:
        if operation.get("security") != []:
            status, _ = await asked(api, method, address(path), ADMIN_TOKEN, body)
            assert status == 413, (method, path)


async def test_invalid_fields_are_reported_to_authorized_callers_only(
    api: RunningApi, furnished: Client
) -> None:
    """Fault 18: 422 came before 401."""
    async with api.http(None) as http:
        nobody = Client(http)
        for method, path, operation in OPERATIONS:
            if operation.get("security") == []:
                continue
            url = address(path).replace("daily", "No Slug").replace("0198c0de", "zzz")
            await nobody.call(method, url + "?limit=x&cursor=x", status=401)
            response = await http.request(method, url, content=b"{")
            assert response.status_code == 401, (method, path)


async def test_an_unexpected_body_is_not_read(api: RunningApi, furnished: Client) -> None:
    where = "/v1/projects/demo/orchestrations/daily/token/refresh"
    assert (await asked(api, "POST", where, ADMIN_TOKEN, CROWD))[1] == 0


async def test_large_documents_are_applied(furnished: Client) -> None:
    tasks: list[dict[str, Any]] = [{"run": "demo-extractor/one", "id": f"t{i}"} for i in range(2_000)]
    documents = [{"orchestration": "large", "phases": [{"name": "p", "tasks": tasks}]}]
    await furnished.post("definitions/apply", {"documents": documents}, status=200)
    assert len((await furnished.get("orchestrations/large"))["phases"][0]["tasks"]) == 2_000
