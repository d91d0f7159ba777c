"""`orchestrator audit`: what it asks for, and how differences, JSON and JSON lines look."""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

RECORD: dict[str, Any] = {
    "at": "2026-11-21T08:00:00Z",
    "actor": "ada@example.com",
    "action": "configuration.changed",
    "subject": "loader/one",
    "detail": {"version": 2},
    "address": "192.0.2.7",
    "changes": [
        {"path": "parameters.rows", "kind": "changed", "before": 1, "after": 2},
        {"path": "parameters.#key", "kind": "changed", "before": "***", "after": "***", "secret": True},
        {"path": "name", "kind": "added", "after": "One"},
        {"path": "note", "kind": "removed", "before": "x" * 100},
        {"path": "", "kind": "reordered", "before": [], "after": []},
    ],
    "omitted_changes": 3,
}
PLAIN = {**RECORD, "action": "run.requested", "changes": [], "omitted_changes": 0, "detail": {"job_id": "7"}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, list[str]]]:
    seen: list[dict[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append({"path": [request.url.path], **parse_qs(request.url.query.decode())})
        return httpx.Response(200, json={"items": [RECORD, PLAIN], "next": None})

    monkeypatch.setattr(
        Context, "client", lambda _: ApiClient("http://s:1", "t", transport=Answering(answer))
    )
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://s:1")
    return seen


def test_filters_are_passed_on(asked: list[dict[str, list[str]]]) -> None:
    filters = ["--actor", "token loader", "--action", "run.requested", "--subject", "orchestrator/daily"]
    times = ["--since", "2026-11-21T09:00:00+01:00", "--until", "2026-11-22T00:00:00Z"]
    assert main(["audit", *filters, *times, "--request", "deploy-7", "--limit", "2"]) == 0
    (query,) = asked
    assert query == {
        "path": ["/v1/projects/demo/audit"],
        "limit": ["2"],
        "actor": ["token loader"],
        "action": ["run.requested"],
        "subject": ["orchestrator/daily"],
        "request_id": ["deploy-7"],
        "since": ["2026-11-21T08:00:00.000000Z"],
        "until": ["2026-11-22T00:00:00.000000Z"],
    }


def test_differences_are_told(asked: list[dict[str, list[str]]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--instance", "--since", "7d"]) == 0
    assert asked[0]["path"] == ["/v1/audit"]
    assert asked[0]["limit"] == ["20"]
    shown = capsys.readouterr().out
    for text in (
        "parameters.rows: 1 → 2",
        'parameters.#key: "***" → "***" (changed)',
        'name: "One"',
        "x… removed",
        ": reordered",
        "and 3 more",
        '{"job_id": "7"}',
        "192.0.2.7",
    ):
        assert text in shown


def test_json_and_lines(asked: list[dict[str, list[str]]], capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--json"], ["--output", "json"]):
        assert main(["audit", *arguments]) == 0
        assert json.loads(capsys.readouterr().out) == [RECORD, PLAIN]
    assert main(["audit", "--output", "jsonl"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [RECORD, PLAIN]
    assert asked[-1]["limit"] == ["200"]  # pages of all there are


@pytest.mark.parametrize("given", ["yesterday", "2026-11-21T08:00:00", "7y", "999999w"])
def test_other_times_are_refused(
    asked: list[dict[str, list[str]]], capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert main(["audit", "--since", given]) != 0
    assert asked == []
    assert "--since" in capsys.readouterr().err
