"""A run is followed by the server's events, and by polling where there are none or they break."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from rich.console import Console

from orchestrator_cli import notices
from orchestrator_cli.client import ApiClient
from orchestrator_cli.progress.watch import follow

PATH = "/projects/demo/jobs/1/events"


class Server(BaseHTTPRequestHandler):
    """Sends the parts of the test, one for each permission, then ends."""

    status = 200
    kind = "text/event-stream; charset=utf-8"
    parts: tuple[bytes, ...] = ()
    may_send = threading.Semaphore(0)
    states: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        if not self.path.endswith("/events"):
            self._answer()
            return
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.end_headers()
        for part in self.parts:
            self.may_send.acquire(timeout=30)
            self.wfile.write(part)
            self.wfile.flush()

    def _answer(self) -> None:
        status = self.states.pop(0)
        content = json.dumps({"id": "1", "component": "loader", "status": status}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.may_send.release()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(Server, "may_send", threading.Semaphore(0))
    monkeypatch.setattr(notices, "SHORTEST_PAUSE_SECONDS", 0.0)
    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{made.server_port}", set=monkeypatch.setattr)
    made.shutdown()
    thread.join(10)
    made.server_close()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(notices, "time", SimpleNamespace(sleep=found.append))
    return found


def test_an_event_ends_the_wait_and_a_comment_does_not(server: Any, slept: list[float]) -> None:
    server.set(Server, "parts", (b": heartbeat\n\n", b"event: job\ndata: {}\n\n", b": end\n\n"))
    with ApiClient(server.url, "t") as client, client.notices(PATH) as made:
        assert made.is_open
        Server.may_send.release()
        made.wait(most=0.05, otherwise=7.0)
        assert slept == []
        Server.may_send.release()
        made.wait(most=30.0, otherwise=7.0)
        assert slept == [0.0]
        Server.may_send.release()
        made.wait(most=30.0, otherwise=7.0)  # its end
        made.wait(most=30.0, otherwise=7.0)
        assert slept[-1] == 7.0
        assert not made.is_open


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "application/problem+json"), (429, "x"), (200, "text/html")]
)
def test_a_server_without_events_is_polled(server: Any, slept: list[float], status: int, kind: str) -> None:
    server.set(Server, "status", status)
    server.set(Server, "kind", kind)
    with ApiClient(server.url, "t") as client, client.notices(PATH) as made:
        made.wait(most=30.0, otherwise=7.0)
    assert slept == [7.0]


def test_a_job_is_looked_at_again_when_an_event_comes(server: Any, slept: list[float]) -> None:
    server.set(Server, "states", ["processing", "processing", "success"])
    server.set(Server, "parts", (b"event: job\ndata: {}\n\n",) * 3)
    with ApiClient(server.url, "t") as client:
        job = follow(client, "/projects/demo", "1", Console(file=io.StringIO()))
    assert job["status"] == "success"
    assert set(slept) == {0.0}, "it did not wait for an event"


def test_a_server_that_does_not_answer_is_polled(slept: list[float]) -> None:
    with ApiClient("http://127.0.0.1:1", "t") as client, client.notices(PATH) as made:
        made.wait(most=30.0, otherwise=7.0)
    assert slept == [7.0]
