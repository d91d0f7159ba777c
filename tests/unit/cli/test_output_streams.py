"""The command line where its output is read in part, cannot be written, or has few characters (number 36)."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from orchestrator_cli.failures import ExitCode

LINES = 200_000
RUN = {"id": "run", "component": "orchestrator", "status": "success"}
TASKS = [{"tasks": [{"id": name, "component": "loader", "job": {"id": name}} for name in ("a", "b")]}]
TEXTS = {"a": "no line end", "b": "caf\u00e9\r\n", "long": "a line\n" * LINES}


class Api(BaseHTTPRequestHandler):
    """One run of two tasks, one job with a long log, and a project to export."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/v1/projects/demo/")
        content = json.dumps(self.answer(path.removeprefix("jobs/"))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer(self, path: str) -> object:
        if path == "definitions":
            return {"documents": [{"configuration": "a/b", "parameters": {"word": "caf\u00e9"}}]}
        job, _, part = path.partition("/")
        if part == "tasks":
            return {"phases": TASKS}
        if part == "log":
            return {"chunks": [{"stream": "stdout", "text": TEXTS[job]}], "next": "1", "finished": True}
        return RUN if job == "run" else {"id": job, "component": "loader", "status": "success"}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


PROGRAM = "import sys; from orchestrator_cli.main import main; sys.exit(main())"
LOG = ["jobs", "logs"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments]


def environment(url: str, **more: str) -> dict[str, str]:
    named = {"ORCHESTRATOR_URL": url, "ORCHESTRATOR_TOKEN": "t", "ORCHESTRATOR_PROJECT": "demo"}
    return {"PATH": os.defpath, **named, **more}


def test_a_reader_that_leaves_early_is_no_failure(url: str) -> None:
    with subprocess.Popen(
        command("jobs", "logs", "long"),
        env=environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "a line\n"
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(30), said) == (ExitCode.OK, "")


@pytest.mark.parametrize("arguments", [[*LOG, "long"], [*LOG, "a"], ["--help"], ["export"]])
def test_a_full_disk_is_told_in_a_sentence(url: str, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*arguments),
            env=environment(url),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.stderr == "error: cannot write the output: No space left on device\n"
    assert done.returncode == ExitCode.OUTPUT_LOST


def output(url: str, *arguments: str, encoding: str) -> str:
    done = subprocess.run(
        command(*arguments), env=environment(url, PYTHONIOENCODING=encoding), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode(encoding)


def test_a_log_without_a_line_end_is_not_glued_to_the_next_header(url: str) -> None:
    assert output(url, "jobs", "logs", "run", encoding="utf-8") == "--- a\nno line end\n--- b\ncaf\u00e9\r\n"


def test_an_output_of_ascii_gets_escapes(url: str) -> None:
    assert output(url, "jobs", "logs", "b", encoding="ascii") == "caf\\xe9\r\n"
    assert json.loads(output(url, "export", "--json", encoding="ascii"))[0]["parameters"] == {
        "word": "caf\u00e9"
    }
    assert '"caf\\xE9"' in output(url, "export", encoding="ascii")
    assert "caf\u00e9" in output(url, "export", encoding="utf-8")
