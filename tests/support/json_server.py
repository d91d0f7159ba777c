"""A server on a real port whose JSON answers are a function; it remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    token: str
    body: Any


Answer = Callable[[Asked], tuple[int, Any]]


@dataclass
class JsonServer:
    """Where it listens, and what it was asked so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def calls(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.asked]

    def add(self, asked: Asked) -> None:
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()

    def wait_for(self, call: str) -> None:
        """Until a request's method and path contain this text."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(call in each for each in self.calls()), 30)


@contextmanager
def serving(answer: Answer) -> Iterator[JsonServer]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            asked = Asked(self.command, self.path, token, body)
            made.add(asked)
            status, found = answer(asked)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = JsonServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
