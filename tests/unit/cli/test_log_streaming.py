"""A followed log arrives as a stream of events: resumed where it broke, and polled where there is none."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestrator_cli import notices
from orchestrator_cli.client import ApiClient
from orchestrator_cli.failures import Interrupted
from orchestrator_cli.progress import log_tails, watch
from orchestrator_cli.progress.logs import follow_log

LINES = [f"line {number}\n" for number in range(1, 7)]
Events = list[tuple[str, str | None, Any]]
"""Each with its name, id and data."""
HELD = 30.0
"""A stream that waits for more is held open for so long."""


class Site:
    """One job that has written two lines, or a run of such jobs; the rest comes by the streams."""

    def __init__(self) -> None:
        self.jobs = ["job"]
        self.per_stream = 2
        """Pieces of each stream before it breaks."""
        self.refusal: int | None = None
        self.refused: list[str] = []
        self.asked: list[tuple[str, str | None]] = []
        self.sent = dict.fromkeys(("job", "a", "b"), 2)
        self.open_at_once = self.most_open = 0
        self.lock = threading.Lock()
        self.is_over = threading.Event()

    def status(self) -> str:
        return "success" if all(self.sent[job] == len(LINES) for job in self.jobs) else "processing"

    def job(self, name: str) -> dict[str, Any]:
        component = "orchestrator" if name == "run" else "loader"
        return {"id": name, "component": component, "status": self.status()}

    def log(self, job: str, after: str | None) -> dict[str, Any]:
        first, last = seq(after), self.sent[job]
        if self.refusal is not None and first == last:  # one more for the next look
            self.sent[job] = min(last + 1, len(LINES))
        chunks = [chunk(number) for number in range(first + 1, last + 1)]
        return {"chunks": chunks, "next": f"1:{last}", "finished": last == len(LINES)}


def seq(place: str | None) -> int:
    return int(place.partition(":")[2]) if place else 0


def chunk(number: int) -> dict[str, Any]:
    stream = "stderr" if number == 2 else "stdout"
    return {"attempt": 1, "seq": number, "stream": stream, "text": LINES[number - 1]}


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        path, _, query = self.path.removeprefix("/v1/projects/demo/jobs/").partition("?")
        name, _, what = path.partition("/")
        if what in ("events", "log/stream") and self.site.refusal is not None:
            self.site.refused.append(what)
            self.answer({"detail": "not here"}, self.site.refusal)
        elif what == "events":
            self.stream([])
            self.site.is_over.wait(HELD)
        elif what == "log/stream":
            self.log_stream(name)
        elif what == "log":
            after = query.partition("after=")[2].partition("&")[0].replace("%3A", ":")
            self.site.asked.append((f"{name} log", after or None))
            self.answer(self.site.log(name, after))
        elif what == "tasks":
            tasks = [{"id": job, "component": "loader", "job": {"id": job}} for job in self.site.jobs]
            self.answer({"phases": [{"tasks": tasks}]})
        else:
            self.answer(self.site.job(name))

    def log_stream(self, job: str) -> None:
        site = self.site
        last = self.headers.get("Last-Event-ID")
        with site.lock:
            site.asked.append((f"{job} stream", last))
            site.open_at_once += 1
            site.most_open = max(site.most_open, site.open_at_once)
        first = seq(last) + 1
        numbers = range(first, min(first + site.per_stream, len(LINES) + 1))
        events: Events = [("log", f"1:{number}", chunk(number)) for number in numbers]
        site.sent[job] = max(site.sent[job], *numbers, 0)
        if site.sent[job] == len(LINES):
            events.append(("end", None, {"job_id": job, "status": "success"}))
        self.stream(events)
        with site.lock:
            site.open_at_once -= 1

    def stream(self, events: Events) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": heartbeat\n\n")
        for name, place, data in events:
            head = f"id: {place}\n" if place else ""
            self.wfile.write(f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def answer(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    for module, name in (
        (watch, "POLL_SECONDS"),
        (notices, "SHORTEST_PAUSE_SECONDS"),
        (log_tails, "SHORTEST_PAUSE_SECONDS"),
        (log_tails, "REOPENING_PAUSE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0.001)
    return Site()


@pytest.fixture
def client(site: Site) -> Iterator[ApiClient]:
    class OfSite(Handler):
        pass

    OfSite.site = site
    server = ThreadingHTTPServer(("127.0.0.1", 0), OfSite)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with ApiClient(f"http://127.0.0.1:{server.server_port}", "t") as made:
        yield made
    site.is_over.set()
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_log_arrives_and_goes_on_behind_the_last_piece_when_the_stream_breaks(
    client: ApiClient, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    follow_log(client, "/projects/demo", "job")
    shown = capsys.readouterr()
    assert shown.out == "".join(LINES[:1] + LINES[2:])
    assert shown.err == LINES[1]
    assert [place for what, place in site.asked if what == "job stream"] == ["1:2", "1:4"]
    # Before each stream, and at the end.
    assert [place for what, place in site.asked if what == "job log"] == [None, "1:2", "1:4", "1:6"]


@pytest.mark.parametrize("status", [404, 401, 429, 500])
def test_a_server_that_gives_no_stream_is_polled(
    client: ApiClient, site: Site, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    site.refusal = status
    follow_log(client, "/projects/demo", "job")
    assert capsys.readouterr().out == "".join(LINES[:1] + LINES[2:])
    assert site.refused == ["events", "log/stream"], "each is tried once"


def test_a_stream_that_is_none_of_ours_is_polled_instead(
    client: ApiClient, site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_stream(handler: Handler, job: str) -> None:
        site.asked.append((f"{job} stream", None))
        handler.stream([("log", "1:3", "nonsense")])
        site.refusal = 404

    monkeypatch.setattr(Handler, "log_stream", log_stream)
    follow_log(client, "/projects/demo", "job")
    assert capsys.readouterr().out == "".join(LINES[:1] + LINES[2:])
    assert [what for what, _ in site.asked if what == "job stream"] == ["job stream"]


def test_the_tasks_of_a_run_arrive_by_a_few_streams_at_once(
    client: ApiClient, site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tails, "MOST_TAILS", 1)
    site.jobs = ["a", "b"]
    follow_log(client, "/projects/demo", "run")
    out = capsys.readouterr().out.splitlines(keepends=True)
    for job in site.jobs:
        of_one = [line.removeprefix(f"{job} | ") for line in out if line.startswith(f"{job} | ")]
        assert of_one == LINES[:1] + LINES[2:]
    assert site.most_open == 1


def test_ctrl_c_says_that_the_job_goes_on_and_leaves_no_thread(
    client: ApiClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pressed:
        def __init__(self, most: int) -> None: ...

        def get(self, timeout: float) -> None:
            raise KeyboardInterrupt

        def put(self, item: object, timeout: float) -> None: ...

    monkeypatch.setattr(queue, "Queue", Pressed)
    before = threading.active_count()
    with pytest.raises(Interrupted, match="job goes on"):
        follow_log(client, "/projects/demo", "job")
    site.is_over.set()
    until = time.monotonic() + 10
    while threading.active_count() > before + 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1
