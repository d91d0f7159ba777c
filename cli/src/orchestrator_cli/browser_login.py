"""A login that a person confirms in the browser; the code comes back to a port here (RFC 8252)."""

import hashlib
import hmac
import os
import platform
import re
import secrets
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from orchestrator_cli.failures import BadInput

HOST = "127.0.0.1"
MAX_SECONDS = 300.0
IDLE_SECONDS = 5.0
"""How long one connection may say nothing."""
MAX_NAME_CHARACTERS = 100
DONE = "You are logged in. You can close this page and go back to the terminal."
FOREIGN = "This address is not the one that the command line is waiting for."


@dataclass(frozen=True, repr=False)
class Login:
    """What one login keeps to itself, and what it tells the browser of it."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def address(self, server: str, port: int) -> str:
        """The page on which the person confirms."""
        asked = {"state": self.state, "challenge": self.challenge, "port": port, "name": computer_name()}
        return f"{server}/cli-login?{urlencode(asked)}"

    def code_in(self, target: str) -> str | None:
        """The code in the address that the browser went to; None if it is not about this login."""
        parts = urlsplit(target)
        said = parse_qs(parts.query)
        states, codes = said.get("state", []), said.get("code", [])
        if parts.path != "/callback" or len(states) != 1 or len(codes) != 1:
            return None
        return codes[0] if hmac.compare_digest(states[0].encode(), self.state.encode()) else None


def computer_name() -> str:
    """This computer's name, in characters that the server takes."""
    return re.sub(r"[^ -~]", "", platform.node())[:MAX_NAME_CHARACTERS] or "a computer"


def code_from_browser(login: Login, server: str, show: Callable[[str], None]) -> str:
    """Listen, show the address, and wait for the browser to come back; raises BadInput after five minutes."""
    with _Listener(login) as listener:
        address = login.address(server, listener.server_port)
        show(address)
        if can_open_browser():
            open_browser(address)
        return listener.wait()


def can_open_browser() -> bool:
    """Whether a browser of this computer has a screen to be on, and this terminal is at it."""
    if os.environ.get("TERM") == "dumb" or os.environ.get("SSH_CONNECTION"):
        return False
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return has_screen or sys.platform == "darwin"


def open_browser(address: str) -> None:
    """In the background; the address was shown, so nothing is lost where this fails."""
    import webbrowser

    webbrowser.open(address)


class _Listener(ThreadingHTTPServer):
    """Takes one code; everything else that knocks is turned away."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, login: Login) -> None:
        super().__init__((HOST, 0), _Callback)
        self.login = login
        self.code: str | None = None
        self.timeout = 0.2

    def wait(self) -> str:
        end = time.monotonic() + MAX_SECONDS
        while self.code is None:
            if time.monotonic() > end:
                raise BadInput(
                    f"nobody confirmed the login within {MAX_SECONDS / 60:g} minutes; "
                    "start again, or log in with a token: --with-token"
                )
            self.handle_request()
        return self.code

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is the browser's business."""


class _Callback(BaseHTTPRequestHandler):
    """Answers the browser."""

    server: _Listener
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        # Another name than ours is a page that tries to reach this computer by a name of its own.
        is_ours = self.headers.get("Host") == f"{HOST}:{self.server.server_port}"
        code = self.server.login.code_in(self.path) if is_ours else None
        self._answer(404 if code is None else 200, FOREIGN if code is None else DONE)
        if code is not None:
            self.server.code = code

    def _answer(self, status: int, text: str) -> None:
        content = f"<!doctype html><title>Orchestrator</title><p>{text}</p>\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the address has the code."""
