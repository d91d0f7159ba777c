"""The API client: reads are tried again, refusals become sentences with the fields they name."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli import client as client_module
from orchestrator_cli.client import ApiClient, Refused
from orchestrator_cli.failures import BadInput, CommandFailure, ExitCode, Unreachable

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE_SECONDS", 0.001)


def api(answer: Answer) -> ApiClient:
    return ApiClient("http://server:1/", "the-token", transport=Answering(answer))


def test_a_busy_server_is_asked_again_for_reads_only() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(503 if len(asked) < 3 else 200, json={"detail": "starting"})

    assert api(answer).get("/projects") == {"detail": "starting"}
    assert asked == ["GET", "GET", "GET"]
    asked.clear()
    with pytest.raises(Unreachable, match="starting"):
        api(answer).post("/projects")
    assert asked == ["POST"]


def test_a_run_is_asked_for_again_under_the_same_key() -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers["Idempotency-Key"], json.loads(request.content)))
        if len(asked) == 1:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(202, json={"job_id": "j"})

    client = api(answer)
    client.post_once("/x/runs", {"confirm": True})
    (first, body), second = asked
    assert (second, body) == ((first, body), {"confirm": True})
    client.post_once("/x/runs", {"confirm": True})
    assert asked[-1][0] != first


def test_no_answer_ends_in_a_sentence_and_exit_code_3() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(Unreachable, match="no answer from http://server:1: connection refused") as caught:
        api(answer).get("/projects")
    assert caught.value.code == ExitCode.UNREACHABLE


def test_a_refusal_names_the_fields() -> None:
    problem = {
        "title": "Unprocessable", "status": 422, "detail": "the request has 2 mistakes",
        "errors": [{"field": "phases.0.name", "detail": "is empty"}, {"field": None, "detail": "no body"}],
    }  # fmt: skip
    with pytest.raises(Refused, match="2 mistakes") as caught:
        api(lambda _: httpx.Response(422, json=problem)).put("/x", {})
    assert caught.value.details == ["phases.0.name: is empty", "(request): no body"]
    assert (caught.value.status, caught.value.code) == (422, ExitCode.BAD_INPUT)


class Store:
    """One thing with a tag, or nothing."""

    def __init__(self, etag: str | None) -> None:
        self.etag = etag
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.headers.get("If-Match")))
        if request.method == "GET":
            return httpx.Response(404) if self.etag is None else httpx.Response(200, json={"etag": self.etag})
        if self.etag is not None and request.headers.get("If-Match") != self.etag:
            detail = "ada@example.com changed this variable at 2026-11-30T11:00:00Z, after you read it"
            return httpx.Response(412, json={"detail": detail, "errors": []})
        return httpx.Response(200, json={})


def test_changes_are_of_what_was_read() -> None:
    there, absent = Store('"t"'), Store(None)
    api(there).put("/x", {})
    api(there).patch("/x", {})
    api(there).delete("/x")
    assert there.asked == [
        ("GET", None), ("PUT", '"t"'), ("GET", None), ("PATCH", '"t"'), ("GET", None), ("DELETE", '"t"'),
    ]  # fmt: skip
    api(absent).put("/x", {})
    assert absent.asked == [("GET", None), ("PUT", None)]


def test_a_change_of_someone_else_is_told() -> None:
    store = Store('"now"')
    with pytest.raises(Refused, match="changed this variable") as caught:
        api(store).put("/x", {}, etag='"then"')
    assert store.asked == [("PUT", '"then"')]
    assert caught.value.details == [
        "Nothing was changed. Look at what is there now, then run the command again."
    ]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(500, text="<html>"), CommandFailure),
        (httpx.Response(200, text="<html>"), CommandFailure),
        (httpx.Response(200, json=[1]), CommandFailure),
        (httpx.Response(401, json={"title": "Unauthorized"}), Refused),
    ],
)
def test_odd_answers_are_failures_without_traceback(response: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        api(lambda _: response).post("/x")


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "http://", "http://host:port", "http://a..b"])
def test_an_unusable_address_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="is not a server URL"), ApiClient(url, "t") as client:
        client.post("/x")


@pytest.mark.parametrize("token", ["from\na file", "caf\u00e9"])
def test_a_token_that_no_header_can_carry_is_bad_input_and_not_shown(token: str) -> None:
    with pytest.raises(BadInput, match="the token contains characters") as caught:
        ApiClient("http://server:1", token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), "half \ud800"])
def test_what_is_no_json_is_bad_input(value: object) -> None:
    with pytest.raises(BadInput, match="cannot encode the request as JSON"):
        api(lambda _: httpx.Response(200, json={})).post("/x", {"parameters": value})


def test_lists_are_read_to_their_last_page() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        last = "cursor" in request.url.params
        return httpx.Response(200, json={"items": [{"n": 2 if last else 1}], "next": None if last else "c1"})

    assert [item["n"] for item in api(answer).items("/jobs", status=None, origin="api")] == [1, 2]
    assert asked == [{"limit": "200", "origin": "api"}, {"limit": "200", "origin": "api", "cursor": "c1"}]
    assert len(list(api(answer).items("/jobs", most=1))) == 1
