"""A command starts quickly: what it must not import, and a command line that is read without pydantic."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from orchestrator_cli.main import main

PROGRAM = """
import sys
from orchestrator_cli.main import main
main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""
HEAVY = {
    "aio_pika",
    "asyncio",
    "asyncpg",
    "croniter",
    "cryptography",
    "httpx",
    "orchestrator_components",
    "orchestrator_local",
    "orchestrator_shared.contracts",
    "orchestrator_shared.database",
    "orchestrator_shared.definitions",
    "orchestrator_shared.settings",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "rich.live",
    "starlette",
    "structlog",
    "uvicorn",
    "yaml",
}
NOTHING_TO_SHOW = {"rich", "http", "ssl", "orchestrator_cli.client", "orchestrator_cli.commands"}
NO_LOOK_AT_PACKAGES = {"email", "importlib.metadata", "tzdata", "zoneinfo"}


class NoJobs(BaseHTTPRequestHandler):
    """A server whose lists are empty."""

    def do_GET(self) -> None:
        content = json.dumps({"items": [], "next": None}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), NoJobs)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def imported(url: str, *arguments: str) -> set[str]:
    environment = {
        "PATH": os.defpath,
        "ORCHESTRATOR_URL": url,
        "ORCHESTRATOR_TOKEN": "t",
        "ORCHESTRATOR_PROJECT": "demo",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *said, modules = done.stderr.splitlines()
    assert [line for line in said if not line.startswith("No ")] == [], "but that the list is empty"
    return set(modules.split())


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--version"], HEAVY | NOTHING_TO_SHOW - {"http"}),
        (["--help"], HEAVY | NOTHING_TO_SHOW | NO_LOOK_AT_PACKAGES),
        (["jobs", "list"], HEAVY | NO_LOOK_AT_PACKAGES - {"email"}),
        (["jobs", "list", "--limit", "3", "--status", "success"], HEAVY),
        (["tables", "list"], HEAVY),
        (["orchestrations", "list", "--json"], HEAVY),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_no_more_than_it_needs(url: str, arguments: list[str], forbidden: set[str]) -> None:
    found = imported(url, *arguments) & forbidden
    assert not found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jobs", "list", "--limit", "0"], "Invalid value for '--limit'"),
        (["jobs", "list", "--limit", "501"], "Invalid value for '--limit'"),
        (["jobs", "list", "--limit", "three"], "Input should be a valid integer"),
        (["jobs", "list", "--limit", "-1"], "Invalid value for '--limit'"),
    ],
)
def test_what_is_no_number_in_the_range_is_told_by_typer(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
