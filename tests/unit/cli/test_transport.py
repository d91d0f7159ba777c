"""The command line's connection, against a real HTTP server."""

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.certificates import self_signed

from orchestrator_cli import transport
from orchestrator_cli.transport import Connection, EndlessAnswer, NoAnswer, Request, target


class Api(BaseHTTPRequestHandler):
    """Answers with what it was asked, and counts connections; `/end` is its last answer on a connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, self.path.encode() + b" " + self.headers["Authorization"].encode() + b" " + body)

    def do_GET(self) -> None:
        if self.path == "/hang":
            self.close_connection = True
            self.server.released.wait(30)  # type: ignore[attr-defined]
        elif self.path == "/cut":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        elif self.path == "/huge":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\nbegins")
        elif self.path in ("/streamed", "/chunked"):
            self.close_connection = True
            is_chunked = self.path == "/chunked"
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\n" + b"Transfer-Encoding: chunked\r\n" * is_chunked + b"\r\n"
            )
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"400\r\n" * is_chunked + b"x" * 1024 + b"\r\n" * is_chunked)
        elif self.path in ("/slow-head", "/for-ever-continue", "/slow-body"):
            self.close_connection = True
            piece = {"/slow-head": b"X: y\r", "/for-ever-continue": b"HTTP/1.1 100 Go on\r\n\r\n"}
            start = b"HTTP/1.1 200 OK\r\n\r\n" if self.path == "/slow-body" else b""
            self.wfile.write(start)
            with contextlib.suppress(OSError):
                while not self.server.released.wait(0.01):  # type: ignore[attr-defined]
                    self.wfile.write(piece.get(self.path, b"x"))
        elif self.path == "/moved":
            self._answer(302, b"", Location="/elsewhere")
        else:
            # The connection ends without a word of it in the answer, as after a keep-alive timeout.
            self.close_connection = self.path == "/end"
            self._answer(200, self.path.encode())

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Keeps its connections in threads that end with it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), type("OneApi", (Api,), {}))
        self.released = threading.Event()
        self.ended = threading.Semaphore(0)

    @property
    def connections(self) -> int:
        return int(self.RequestHandlerClass.connections)  # type: ignore[attr-defined]

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)  # type: ignore[arg-type]
        self.ended.release()

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        made.shutdown()
        thread.join(10)
        socketserver.TCPServer.server_close(made)


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    made = Connection(f"http://127.0.0.1:{server.server_port}")
    yield made
    made.close()


def get(connection: Connection, path: str) -> bytes:
    return connection.send(Request("GET", path)).body


def test_several_requests_share_a_connection(server: Server, connection: Connection) -> None:
    assert [get(connection, "/a"), get(connection, "/b?c=d")] == [b"/a", b"/b?c=d"]
    made = connection.send(Request("POST", "/x", {"Authorization": "Bearer t"}, b"body"))
    assert (made.status, made.is_success, made.body) == (201, True, b"/x Bearer t body")
    assert server.connections == 1


def test_a_connection_that_the_server_has_ended_is_opened_again(
    server: Server, connection: Connection
) -> None:
    assert get(connection, "/end") == b"/end"
    assert server.ended.acquire(timeout=30)
    assert get(connection, "/again") == b"/again"
    assert server.connections == 2


def test_an_answer_that_breaks_off_is_none_and_the_next_request_works(connection: Connection) -> None:
    with pytest.raises(NoAnswer, match="IncompleteRead"):
        get(connection, "/cut")
    assert get(connection, "/again") == b"/again"


def test_a_server_that_says_nothing_is_given_up(
    server: Server, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.05)
    with pytest.raises(NoAnswer, match="timed out"):
        get(connection, "/hang")


@pytest.mark.parametrize("path", ["/huge", "/streamed", "/chunked"])
def test_more_than_any_answer_has_is_not_read(
    connection: Connection, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MOST_ANSWER_BYTES", 1024 * 1024)
    with pytest.raises(EndlessAnswer, match="more than 1 MiB"):
        get(connection, path)
    assert get(connection, "/x") == b"/x"


@pytest.mark.parametrize("path", ["/slow-head", "/for-ever-continue", "/slow-body"])
def test_an_answer_that_goes_on_and_on_is_given_up(
    connection: Connection, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something comes within each wait, so no single wait is too long."""
    monkeypatch.setattr(transport, "WHOLE_ANSWER_SECONDS", 0.2)
    with pytest.raises(EndlessAnswer, match="not complete"):
        get(connection, path)


def test_a_redirection_is_an_answer_and_not_followed(connection: Connection) -> None:
    found = connection.send(Request("GET", "/moved"))
    assert (found.status, found.is_success) == (302, False)


def test_a_closed_port_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="Connection refused"):
        get(Connection("http://127.0.0.1:1"), "/")


def test_a_server_below_a_path_is_asked_there(server: Server) -> None:
    connection = Connection(f"http://127.0.0.1:{server.server_port}/tools/")
    assert get(connection, "/v1/x") == b"/tools/v1/x"
    connection.close()


def test_a_certificate_is_checked_and_another_authority_can_be_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = self_signed(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_port}"
    with pytest.raises(NoAnswer, match="certificate verify failed"):
        get(Connection(url), "/x")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    connection = Connection(url)
    assert get(connection, "/x") == b"/x"
    connection.close()


def test_names_in_a_path_stay_in_the_path() -> None:
    assert target("/v1/tables/a b?c#d%e/\u00e9") == "/v1/tables/a%20b%3Fc%23d%25e/%C3%A9"
    assert target("/v1/x", {"limit": "2", "tasks": ["a", "b c"]}) == "/v1/x?limit=2&tasks=a&tasks=b+c"
