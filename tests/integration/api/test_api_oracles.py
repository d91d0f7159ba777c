"""Fault 17 of issue 8: what a response must not reveal, and what it must contain."""

import re

import pytest
import structlog
from tests.integration.api.conftest import ADMIN_TOKEN, Client, RunningApi, running
from tests.integration.api.people import person_with_password, signed_in
from tests.support.databases import Database
from tests.support.logs import plain_logs

from orchestrator_api.access.metrics import TOKENS_REFUSED
from orchestrator_api.http.compression import MIN_BYTES
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.security import new_token

SHARES = "buckets/in.c-sales/shares"


async def test_sharing_does_not_reveal_which_projects_exist(furnished: Client) -> None:
    await furnished.post("/v1/projects", {"id": "there"}, status=201)
    answers = []
    for name in ("there", "ghost"):
        response = await furnished.http.put(f"/v1/projects/demo/{SHARES}/{name}")
        answers.append((response.status_code, response.content))
    assert answers == [(204, b"")] * 2
    assert [each["shared_with"] for each in (await furnished.get(SHARES))["items"]] == ["ghost", "there"]
    await furnished.post("/v1/projects", {"id": "ghost"}, status=201)
    ghost = Client(furnished.http, "ghost")
    await ghost.put("orchestrations/o", {"phases": []}, status=201)
    await ghost.put("orchestrations/o/triggers/t", {"tables": ["demo/in.c-sales.t"]}, status=201)
    await furnished.delete(f"{SHARES}/ghost", status=204)


async def test_invalid_tokens_are_logged_counted_and_slowed_down(settings: ApiSettings) -> None:
    refused = TOKENS_REFUSED.labels("unknown")._value
    before = refused.get()
    slow = settings.model_copy(update={"wrong_tokens_per_minute": 3})
    async with running(slow) as api, api.http(ADMIN_TOKEN) as good, api.http("orc_wrong") as wrong:
        assert (await good.get("/v1/projects")).status_code == 200
        with structlog.testing.capture_logs() as log:
            statuses = [(await wrong.get("/v1/projects")).status_code for _ in range(5)]
            answer = await wrong.get("/v1/projects")
        assert statuses == [401] * 3 + [429] * 2
        assert 1 <= int(answer.headers["retry-after"]) <= 20
        assert answer.headers["content-type"] == "application/problem+json"
        told = [line for line in log if line["event"] == "token.refused"]
        assert [(line["address"], line["reason"], line["count"]) for line in told] == [
            ("127.0.0.1", "unknown", 1)
        ]
        assert (await good.get("/v1/projects")).status_code == 200
    assert refused.get() == before + 3


async def test_invalid_callback_urls_are_counted_like_invalid_tokens(settings: ApiSettings) -> None:
    slow = settings.model_copy(update={"wrong_tokens_per_minute": 3})
    where = f"/v1/callbacks/{new_token()[1]}"
    async with running(slow) as api, api.http(None) as nobody:
        statuses = [(await nobody.post(where, json={})).status_code for _ in range(4)]
    assert statuses == [404] * 3 + [429]


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/docs", "/v1/openapi.json", "/v1/projects", "/v1/ghost", "/v1/projects/"]
)
async def test_every_answer_has_an_id_and_is_kept_nowhere(api: RunningApi, path: str) -> None:
    async with api.http(None) as http:
        first, second = await http.get(path), await http.get(path)
        mine = await http.get(path, headers={"X-Request-ID": "from-my-proxy.1"})
        bad = await http.get(path, headers={"X-Request-ID": "two words"})
    assert re.fullmatch(r"[0-9a-f-]{36}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert mine.headers["x-request-id"] == "from-my-proxy.1"
    assert bad.headers["x-request-id"] != "two words"
    for answer in (first, second, mine, bad):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_log_lines_of_a_request_carry_its_id(api: RunningApi, database: Database) -> None:
    ids = []

    def note(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        ids.append(structlog.contextvars.get_contextvars().get("request"))
        raise structlog.DropEvent

    structlog.configure(processors=[note])
    try:
        async with api.http("orc_wrong") as http:
            answer = await http.get("/v1/projects")
    finally:
        plain_logs()
    assert ids == [answer.headers["x-request-id"]]


@pytest.mark.parametrize("path", ["/v1/projects", "/v1/ghost", "/v1/projects/Bad!/jobs"])
async def test_every_refusal_names_the_id_of_its_request(api: RunningApi, path: str) -> None:
    async with api.http(None) as http:
        answer = await http.get(path)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_lists_are_compressed_and_secrets_are_not(furnished: Client) -> None:
    components = [f"component-{number}" for number in range(100)]
    token = {"name": "many", "scopes": ["read"], "components": components}
    made = await furnished.http.post("/v1/projects/demo/tokens", json=token)
    assert len(made.text) > MIN_BYTES
    assert made.json()["token"]
    listed = await furnished.http.get("/v1/projects/demo/tokens")
    plain = await furnished.http.get("/v1/projects/demo/tokens", headers={"Accept-Encoding": "identity"})
    assert listed.json() == plain.json()
    encodings = [answer.headers.get("content-encoding") for answer in (made, listed, plain)]
    assert encodings == [None, "gzip", None]
    assert int(listed.headers["content-length"]) < len(plain.content)


async def test_the_csrf_token_of_a_session_is_never_compressed(
    api: RunningApi, admin: Client, database: Database
) -> None:
    await person_with_password(admin, database, "ann@example.com", role="viewer")
    async with signed_in(api, "ann@example.com") as browser:
        answer = await browser.http.get("/v1/sessions/current")
    assert answer.json()["csrf_token"]
    assert answer.headers["cache-control"] == "no-store, no-transform"


@pytest.mark.parametrize("path", ["/v1/projects/", "/docs/", "/livez/", "//v1/projects"])
async def test_nothing_is_redirected(api: RunningApi, path: str) -> None:
    async with api.http(ADMIN_TOKEN) as http:
        answer = await http.get(f"http://api{path}", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "evil.example" not in answer.text + str(answer.headers)


async def test_docs_need_nothing_from_elsewhere(api: RunningApi) -> None:
    async with api.http(None) as http:
        answer = await http.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "://" not in answer.text
    for operation in ("/v1/projects/{project}/orchestrations/{orchestration}/runs", "/v1/dead-letters"):
        assert operation in answer.text


async def test_metrics_are_not_public(api: RunningApi) -> None:
    async with api.http(ADMIN_TOKEN) as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_allow_names_every_method(api: RunningApi, furnished: Client) -> None:
    """Fault 18: only the methods of the first route were named."""
    expected = {
        "/v1/projects": "GET, POST",
        "/v1/projects/demo": "GET, PATCH",
        "/v1/projects/demo/orchestrations/daily": "GET, PUT, PATCH, DELETE",
        "/v1/projects/demo/definitions/apply": "POST",
    }
    for path, methods in expected.items():
        answer = await furnished.http.request("OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods), path
