"""`jobs why`, `jobs timeline`, `lanes`, and the question before `jobs terminate`."""

import io
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

WHY = "Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC."
VERDICT = "It waited 41 min for nightly-sales #411, which held csv-writer/out; it ran 6 min 53 s."
QUESTION = "Terminate nightly-sales #411? It has run for 41 min, usually 48 min."
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
    "GET jobs/j/termination": {
        "sentence": QUESTION,
        "consequences": ["1 running task stops: csv-writer/out."],
    },
    "POST jobs/j/termination": {"job_id": "j", "status": "processing"},
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


class Terminal(io.StringIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


def test_terminating_shows_what_it_changes_and_asks(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["jobs", "terminate", "j"]) == 0
    shown = capsys.readouterr()
    assert shown.err == f"- 1 running task stops: csv-writer/out.\n{QUESTION} [y/N] "
    assert shown.out == "requested termination of j\n"
    assert asked == ["GET jobs/j/termination", "POST jobs/j/termination"]


def test_nothing_is_stopped_without_a_yes(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("\n"))
    assert main(["jobs", "terminate", "j"]) == ExitCode.BAD_INPUT
    assert "nothing was stopped" in capsys.readouterr().err
    assert asked == ["GET jobs/j/termination"]


@pytest.mark.parametrize(("arguments", "is_terminal"), [(["--yes"], True), ([], False)])
def test_yes_and_pipes_are_not_asked(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], is_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: is_terminal))
    assert main(["jobs", "terminate", "j", *arguments]) == 0
    assert asked == ["POST jobs/j/termination"]
