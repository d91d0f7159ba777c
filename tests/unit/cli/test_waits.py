"""`jobs why`, `jobs timeline` and `lanes`."""

from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main

WHY = "Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC."
VERDICT = "It waited 41 min for nightly-sales #411, which held csv-writer/out; it ran 6 min 53 s."
LANE = {
    "component": "csv-writer",
    "configuration": "out",
    "sentence": "22 wait for nightly-sales #411.",
    "waiting": [
        {"place": 1, "job": {"name": "crm-sync #208"}, "expected_start": "2026-11-30T07:31:12Z"},
        {"place": 2, "job": {"name": "campaigns #42"}, "expected_start": None},
    ],
    "waiting_count": 22,
}
TASK = {"id": "out", "status": "success", "seconds": {"configuration_busy": 2460.0, "running": 413.0}}
ANSWERS: dict[str, Any] = {
    "GET jobs/j/explanation": {"sentence": WHY},
    "GET jobs/j/timeline": {"verdict": {"sentence": VERDICT}, "tasks": [TASK]},
    "GET lanes": {"items": [LANE], "next": None},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path.removeprefix('/v1/projects/demo/')}")
        return httpx.Response(200, json=ANSWERS[seen[-1]])

    def client(_: Context) -> ApiClient:
        return ApiClient("http://server:1", "t", transport=Answering(answer))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return seen


@pytest.mark.usefixtures("asked")
def test_why_prints_the_sentence_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "why", "j"]) == 0
    assert capsys.readouterr().out == f"{WHY}\n"


@pytest.mark.usefixtures("asked")
def test_a_timeline_begins_with_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "timeline", "j"]) == 0
    first, _, row = capsys.readouterr().out.splitlines()
    assert first == VERDICT
    assert row.split() == ["out", "success", "41", "min", "0", "s", "6", "min", "53", "s"]


@pytest.mark.usefixtures("asked")
def test_lanes_list_those_in_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lanes"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "csv-writer/out: 22 wait for nightly-sales #411.",
        "  1. crm-sync #208, expected start about 07:31 UTC",
        "  2. campaigns #42",
        "  and 20 more",
    ]
