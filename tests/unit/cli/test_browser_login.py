"""The port on which `orchestrator login` waits for the browser: it takes its own code, and nothing else."""

import socket
import threading
from collections.abc import Iterator
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orchestrator_api.web.cli_codes import LoginWish, challenge_of
from orchestrator_cli import browser_login
from orchestrator_cli.browser_login import FOREIGN, Login, can_open_browser, code_from_browser, computer_name
from orchestrator_cli.failures import BadInput

SERVER = "https://orchestrator.example.com"


class Waiting:
    """A login that waits in a thread."""

    def __init__(self) -> None:
        self.login = Login()
        addresses: Queue[str] = Queue()
        self.codes: Queue[str] = Queue()

        def wait() -> None:
            self.codes.put(code_from_browser(self.login, SERVER, addresses.put))

        self.thread = threading.Thread(target=wait, daemon=True)
        self.thread.start()
        self.address = addresses.get(timeout=30)
        self.asked = {key: values[0] for key, values in parse_qs(urlsplit(self.address).query).items()}
        self.port = int(self.asked["port"])

    def visit(self, state: str, path: str = "/callback", **headers: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, params={"code": "the-code", "state": state}, headers=headers, trust_env=False)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    monkeypatch.setattr(browser_login, "can_open_browser", lambda: False)
    made = Waiting()
    yield made
    if made.thread.is_alive():
        made.visit(made.login.state)
    made.thread.join(30)
    assert not made.thread.is_alive()


def test_what_the_browser_is_told_is_what_the_api_takes(waiting: Waiting) -> None:
    wish = LoginWish.read(*(waiting.asked[key] for key in ("state", "challenge", "port", "name")))
    assert wish is not None
    assert wish.challenge == challenge_of(waiting.login.verifier)
    assert waiting.login.verifier not in waiting.address
    assert waiting.address.startswith(f"{SERVER}/cli-login?")


def test_its_own_code_is_taken_once_and_the_page_can_do_nothing(waiting: Waiting) -> None:
    answer = waiting.visit(waiting.login.state)
    assert (answer.status_code, waiting.codes.get(timeout=30)) == (200, "the-code")
    assert "You are logged in" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    waiting.thread.join(30)
    with pytest.raises(httpx.ConnectError):
        waiting.visit(waiting.login.state)


def test_whatever_else_knocks_is_turned_away(waiting: Waiting) -> None:
    silent = socket.create_connection(("127.0.0.1", waiting.port))
    for answer in (
        waiting.visit("another state"),
        waiting.visit("étrange"),
        waiting.visit(waiting.login.state, path="/"),
        waiting.visit(waiting.login.state, Host="attacker.example"),
    ):
        assert (answer.status_code, FOREIGN in answer.text) == (404, True)
    assert waiting.codes.empty()
    assert waiting.visit(waiting.login.state).status_code == 200
    assert waiting.codes.get(timeout=30) == "the-code"
    silent.close()


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_login, "MAX_SECONDS", 0.0)
    monkeypatch.setattr(browser_login, "can_open_browser", lambda: False)
    with pytest.raises(BadInput, match="--with-token"):
        code_from_browser(Login(), SERVER, lambda _: None)


def test_a_browser_is_opened_only_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("TERM", "SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not can_open_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert can_open_browser()
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert not can_open_browser()
    monkeypatch.delenv("SSH_CONNECTION")
    monkeypatch.setenv("TERM", "dumb")
    assert not can_open_browser()


def test_the_name_of_the_computer_is_in_characters_that_the_api_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.node", lambda: "žofie\n" * 60)
    assert computer_name() == ("ofie" * 60)[:100]
    monkeypatch.setattr("platform.node", lambda: "ž")
    assert computer_name() == "a computer"
