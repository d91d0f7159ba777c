"""The command line at terminals of all kinds: narrow, dumb, without colours, none; and Ctrl-C."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.json_server import Asked, JsonServer, serving

from orchestrator_cli.failures import ExitCode

PROGRAM = "import sys; from orchestrator_cli.main import main; sys.exit(main())"
ID = "01a22a90-5d33-7a53-90df-0a520c115ff6"
JOB = {
    "id": ID,
    "component": "orchestrator",
    "configuration": "daily",
    "number": 7,
    "origin": "manual",
    "requested_at": "2026-11-21T08:00:00Z",
}
PHASES = [{"name": "Load", "tasks": [{"id": "a", "component": "x", "status": "started", "job": None}]}]


class Api:
    """A run that ends after some looks, or never."""

    def __init__(self) -> None:
        self.looks_until_end = 10**9

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        path = asked.path.partition("?")[0].removeprefix("/v1/projects/demo/")
        if path.endswith("/runs"):
            return 201, {"job_id": ID}
        if path.endswith("/tasks"):
            return 200, {"phases": PHASES}
        if path.endswith("/events"):
            return 404, {"detail": "an older server"}
        if path == "jobs":
            return 200, {"items": [{**JOB, "status": "success"}], "next": None}
        self.looks_until_end -= 1
        return 200, {**JOB, "status": "success" if self.looks_until_end <= 0 else "processing"}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api) -> Iterator[JsonServer]:
    with serving(api) as made:
        yield made


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments]


def environment(server: JsonServer, **more: str) -> dict[str, str]:
    named = {"ORCHESTRATOR_URL": server.url, "ORCHESTRATOR_TOKEN": "t", "ORCHESTRATOR_PROJECT": "demo"}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **named, **more}


def on_a_terminal(server: JsonServer, *arguments: str, **variables: str) -> str:
    """What a terminal receives, with its line ends."""
    ours, theirs = pty.openpty()
    variables = {"TERM": "xterm-256color", **variables}
    process = subprocess.Popen(
        command(*arguments),
        env=environment(server, **variables),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    received = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        received += part
    os.close(ours)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, b"")
    return received.decode().replace("\r\n", "\n")


def test_a_narrow_terminal_gets_one_line_for_each_value(server: JsonServer) -> None:
    lines = on_a_terminal(server, "jobs", "list", COLUMNS="40", NO_COLOR="1").splitlines()
    assert lines[:3] == [ID, "  what: daily #7", "  status: success"]
    wide = on_a_terminal(server, "jobs", "list", COLUMNS="150", TERM="dumb").splitlines()
    assert wide[0].split() == ["id", "what", "status", "started", "by", "created", "took"]


def test_colours_only_where_they_are_wanted(server: JsonServer) -> None:
    green = "\x1b[32m"
    assert green in on_a_terminal(server, "jobs", "list", COLUMNS="150")
    assert green not in on_a_terminal(server, "jobs", "list", COLUMNS="150", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(server, "jobs", "list", COLUMNS="150", TERM="dumb")


def test_a_dumb_terminal_gets_a_line_for_each_change_and_no_control_characters(
    server: JsonServer, api: Api
) -> None:
    api.looks_until_end = 3
    shown = on_a_terminal(server, "run", "daily", "--follow", TERM="dumb")
    assert "\x1b" not in shown
    assert [line.split(" ", 1)[1] for line in shown.splitlines()] == [
        "Load / a: started",
        "daily #7: processing",
        "daily #7: success",
    ]


def test_progress_stays_out_of_the_json(server: JsonServer, api: Api) -> None:
    api.looks_until_end = 2
    done = subprocess.run(
        command("run", "daily", "--follow", "--output", "json"),
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == ExitCode.OK
    assert done.stdout.startswith("{")
    assert "daily #7: processing" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["run", "daily", "--follow"], ["jobs", "logs", ID, "--follow"]], ids=" ".join
)
def test_ctrl_c_leaves_the_run_going_and_says_so(server: JsonServer, arguments: list[str]) -> None:
    with subprocess.Popen(
        command(*arguments),
        env=environment(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        server.wait_for("/tasks")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert said.splitlines()[0] == f"stopped watching; {ID} goes on"
    assert f"orchestrator jobs terminate {ID}" in said
    assert "Traceback" not in said
    assert not [call for call in server.calls() if "termination" in call]
