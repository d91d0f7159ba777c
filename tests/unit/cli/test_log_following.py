"""A job's log on the command line: followed while it runs, in pieces of any size, of nested runs, too."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.failures import Unreachable
from orchestrator_cli.progress import watch
from orchestrator_cli.progress.logs import follow_log, print_log

STATES = ("waiting", "processing", "processing", "success")


class Server:
    """A job that writes a chunk at each look, one chunk an answer at most."""

    def __init__(self) -> None:
        self.looks = 0
        self.outages = 0
        self.log_outages = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/projects/demo/jobs/")
        if self.outages:
            self.outages -= 1
            return httpx.Response(503, json={"detail": "away"})
        if path.endswith("/log"):
            if self.log_outages:
                self.log_outages -= 1
                return httpx.Response(503, json={"detail": "away"})
            return httpx.Response(200, json=self.log(request.url.params.get("after")))
        if path.endswith("/tasks"):
            return httpx.Response(200, json={"phases": TASKS[path.removesuffix("/tasks")]})
        component = "orchestrator" if path in TASKS else "loader"
        answer = {"id": path, "component": component, "status": STATES[min(self.looks, 3)]}
        self.looks += 1
        return httpx.Response(200, json=answer)

    def log(self, after: str | None) -> dict[str, Any]:
        last = int(after.split(":")[1]) if after else 0
        if last >= min(self.looks - 1, 3):
            return {"chunks": [], "next": after, "finished": self.looks > 3}
        stream = "stderr" if last == 1 else "stdout"
        chunk = {"attempt": 1, "seq": last + 1, "stream": stream, "text": f"line {last + 1}\n"}
        return {"chunks": [chunk], "next": f"1:{last + 1}", "finished": False}


def task(name: str, component: str = "loader") -> dict[str, Any]:
    return {"id": name, "component": component, "job": {"id": name}}


TASKS = {
    "run": [{"tasks": [task("a"), {"id": "later", "component": "loader", "job": None}]}],
    "outer": [{"tasks": [task("run", "orchestrator")]}],
}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiClient]:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.001)
    monkeypatch.setattr("orchestrator_cli.client.FIRST_PAUSE_SECONDS", 0.001)
    with ApiClient("http://x", "t", transport=Answering(server)) as made:
        yield made


def test_followed_to_its_end_whatever_fits_into_an_answer(
    client: ApiClient, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.outages = 6  # sat out, as when a run is followed
    follow_log(client, "/projects/demo", "job")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("line 1\nline 3\n", "line 2\n")
    assert server.looks == 4


def test_an_outage_between_two_pieces_is_sat_out(
    client: ApiClient, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.log_outages = 6
    follow_log(client, "/projects/demo", "run")
    assert capsys.readouterr().out == "a | line 1\na | line 3\n"


def test_tasks_that_are_over_are_not_asked_for_again(
    client: ApiClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def log(after: str | None) -> dict[str, Any]:
        asked.append(str(after))
        return {"chunks": [], "next": "1:9", "finished": True}

    monkeypatch.setattr(server, "log", log)
    follow_log(client, "/projects/demo", "run")
    assert (asked, server.looks) == (["None"], 4)


def test_a_long_outage_is_sat_out_as_long_as_it_says_and_no_longer(
    client: ApiClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: 1 + sum(slept), sleep=slept.append)
    monkeypatch.setattr(watch, "time", clock)
    monkeypatch.setattr(watch, "POLL_SECONDS", 1.0)
    server.outages = 10_000
    with pytest.raises(Unreachable):
        follow_log(client, "/projects/demo", "job")
    assert watch.OUTAGE_SECONDS <= sum(slept) <= watch.OUTAGE_SECONDS + 2


def test_lines_of_nested_runs_name_their_task(client: ApiClient, capsys: pytest.CaptureFixture[str]) -> None:
    follow_log(client, "/projects/demo", "outer")
    assert capsys.readouterr().out == "run / a | line 1\nrun / a | line 3\n"


def test_printed_as_far_as_it_is(
    client: ApiClient, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.looks = 2
    print_log(client, "/projects/demo", "run")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("--- a\nline 1\n", "line 2\n")
