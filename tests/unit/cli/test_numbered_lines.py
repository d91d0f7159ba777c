"""`orchestrator jobs logs` with numbered lines: what it asks for, and what it prints."""

from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.main import main

TASKS = {
    "phases": [
        {
            "tasks": [
                {"id": "a/x", "component": "a", "job": {"id": "j1"}},
                {"id": "a/y", "component": "a", "job": {"id": "j2"}},
            ]
        }
    ]
}


def line(number: int, text: str, *, is_cut: bool = False) -> dict[str, Any]:
    return {"number": number, "text": text, "is_cut": is_cut}


ANSWERS: dict[str, Any] = {
    "/jobs/run": {"id": "run", "component": "orchestrator"},
    "/jobs/j1": {"id": "j1", "component": "a"},
    "/jobs/run/tasks": TASKS,
    "/jobs/j1/log/search?q=err&first=1": {"hits": [line(2, "err \x1b[31m1")], "next": 9},
    "/jobs/j1/log/search?q=err&first=9": {"hits": [line(12, "err 2", is_cut=True)], "next": None},
    "/jobs/j2/log/search?q=err&first=1": {"hits": [], "next": None},
    "/jobs/j1/log/lines?around=30&limit=20": {"lines": [line(7, "last")], "total_lines": 7},
    "/jobs/j1/log/lines?tail=true&limit=5": {"lines": [line(7, "last")], "total_lines": 7},
    "/jobs/j2/log/lines?tail=true&limit=5": {"lines": [], "total_lines": 0},
}


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/v1/projects/demo")
        return httpx.Response(200, json=ANSWERS[path])

    monkeypatch.setattr(
        Context, "client", lambda _: ApiClient("http://s:1", "t", transport=Answering(answer))
    )
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://s:1")


def test_hits_of_all_tasks_are_printed_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "logs", "run", "--search", "err"]) == ExitCode.OK
    printed = capsys.readouterr()
    first, second, third = printed.out.splitlines()
    assert (first, third) == ("--- a/x", "    12  err 2 …")
    assert second.startswith("     2  err ")
    assert "\x1b" not in second
    assert printed.err == "2 lines\n"


def test_lines_around_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "logs", "j1", "--around", "30"]) == ExitCode.OK
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("     7  last\n", "the log has 7 lines\n")
    assert main(["jobs", "logs", "run", "--around", "30"]) == ExitCode.BAD_INPUT
    assert "a run has no log of its own" in capsys.readouterr().err


def test_last_lines_of_all_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "logs", "run", "--tail", "5"]) == ExitCode.OK
    assert capsys.readouterr().out == "--- a/x\n     7  last\n--- a/y\n"


def test_one_way_of_reading_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "logs", "j1", "--tail", "5", "--follow"]) == ExitCode.BAD_INPUT
    assert "only one of" in capsys.readouterr().err
