"""A small client for the HTTP API: bounded waits, retried reads, problem details turned into sentences."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orchestrator_cli.failures import BadInput, CommandFailure, Unreachable
from orchestrator_cli.transport import (
    Connection,
    EndlessAnswer,
    NoAnswer,
    Params,
    Request,
    Response,
    Transport,
    target,
)
from orchestrator_shared.domain.ids import new_id

if TYPE_CHECKING:
    from orchestrator_cli.event_stream import EventStream
    from orchestrator_cli.notices import Notices

Json = dict[str, Any]

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.25
BUSY_STATUSES = frozenset({429, 502, 503, 504})
ABSENT_STATUSES = frozenset({404, 405})
PAGE = 200
JSON = {"Content-Type": "application/json"}


class Refused(CommandFailure):
    """The server refused the request; `status` is the HTTP status, `details` name the fields."""

    def __init__(self, status: int, text: str, *, details: list[str]) -> None:
        super().__init__(text, details=details)
        self.status = status
        self.code = BadInput.code


class ApiClient:
    """Requests below `/v1`; safe ones are retried when the server is busy or the connection breaks."""

    def __init__(self, url: str, token: str, *, transport: Transport | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = JSON | _authorization(token)
        self._transport = transport or _connection(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def get(self, path: str, **params: object) -> Json:
        return _with_retries(lambda: self._request("GET", path, params=_given(params)))

    def notices(self, path: str, tell: Callable[[], None] | None = None) -> "Notices":
        """Live events below this path; a server without them gives none."""
        from orchestrator_cli.notices import Notices

        return Notices(lambda: self.stream(path), tell)

    def stream(self, path: str, last_id: str | None = None) -> "EventStream":
        """The events below this path, after the one with this id."""
        from orchestrator_cli.event_stream import EventStream, StreamRefused

        transport = self._transport
        if not isinstance(transport, Connection):
            raise StreamRefused("no connection of its own")
        headers = self._headers if last_id is None else {**self._headers, "Last-Event-ID": last_id}
        request = Request("GET", transport.prefix + target(f"/v1{path}"), headers)
        return EventStream(transport.another, request)

    def put(self, path: str, body: Json, *, etag: str | None = None) -> Json:
        """Save over the state with this tag, or else over the one that is there now and no later one."""
        return self._edit("PUT", path, body, etag)

    def post(self, path: str, body: Json | None = None, **params: object) -> Json:
        return self._request("POST", path, params=_given(params), body=body or {})

    def step(self, path: str, body: Json, *, etag: str) -> Json:
        """Go on from the state with this tag, and from no other."""
        return self._request("POST", path, body=body, headers={"If-Match": etag})

    def post_once(self, path: str, body: Json) -> Json:
        """Send it under a new idempotency key: a retry after a lost response is the same request."""
        key = {"Idempotency-Key": str(new_id())}
        return _with_retries(lambda: self._request("POST", path, body=body, headers=key))

    def patch(self, path: str, body: Json, *, etag: str | None = None) -> Json:
        return self._edit("PATCH", path, body, etag)

    def delete(self, path: str, *, etag: str | None = None) -> Json:
        return self._edit("DELETE", path, None, etag)

    def discard(self, path: str) -> Json:
        """Delete something that no one edits."""
        return self._request("DELETE", path)

    def _edit(self, method: str, path: str, body: Json | None, etag: str | None) -> Json:
        tag = etag or self._etag(path)
        return self._request(method, path, body=body, headers={"If-Match": tag} if tag else None)

    def _etag(self, path: str) -> str | None:
        """The tag of what is there; None if nothing is, or if it has none."""
        try:
            found = self.get(path).get("etag")
        except Refused as refused:
            if refused.status in ABSENT_STATUSES:
                return None
            raise
        return found if isinstance(found, str) else None

    def items(self, path: str, *, most: int | None = None, **params: object) -> Iterator[Json]:
        """The items of a list across all its pages, at most `most` of them."""
        cursor: str | None = None
        left = most
        while left is None or left > 0:
            limit = PAGE if left is None else min(PAGE, left)
            page = self.get(path, limit=limit, cursor=cursor, **params)
            items = page.get("items")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise CommandFailure(f"{self.url}/v1{path} did not return a list")
            yield from items
            left = None if left is None else left - len(items)
            cursor = page.get("next")
            if cursor is None:
                return

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        content = None if body is None else _encoded(body)
        request = Request(method, target(f"/v1{path}", params), {**self._headers, **(headers or {})}, content)
        try:
            response = self._transport.send(request)
        except NoAnswer as error:
            raise Unreachable(f"no answer from {self.url}: {error}", details=[START_HINT]) from None
        except EndlessAnswer as error:
            raise CommandFailure(f"gave up on the response of {self.url}: {error}") from None
        except ValueError as error:  # a host name that cannot be resolved
            raise BadInput(f"{self.url} is not a server URL: {error}") from None
        if response.is_success:
            return _body(response, f"{self.url}{request.target}")
        raise failure_of(response)


def _authorization(token: str) -> dict[str, str]:
    if not (token.isascii() and token.isprintable()):
        raise BadInput("the token contains characters that tokens never have; copy it again")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _connection(url: str) -> Connection:
    try:
        return Connection(url)
    except ValueError as error:
        raise BadInput(f"{url} is not a server URL: {error}") from None


def _with_retries(send: Callable[[], Json]) -> Json:
    for attempt in range(1, ATTEMPTS):
        try:
            return send()
        except Unreachable:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
    return send()


START_HINT = (
    "Is it running? `orchestrator dev status` shows the local stack, `orchestrator dev up` starts it."
)


def failure_of(response: Response) -> CommandFailure:
    """The problem details (RFC 9457) of a response as one sentence, plus the fields it names."""
    problem = _problem(response)
    text = str(
        problem.get("detail") or problem.get("title") or f"the server responded with status {response.status}"
    )
    details = [
        f"{error.get('field') or '(request)'}: {error.get('detail', '')}"
        for error in _list(problem.get("errors"))
        if isinstance(error, dict)
    ]
    if response.status in BUSY_STATUSES:
        return Unreachable(text, details=details)
    if response.status == 401:
        details.append(
            "Log in with `orchestrator login`, or set ORCHESTRATOR_TOKEN to a valid token; "
            "for a local stack, `orchestrator dev up` writes one."
        )
    if response.status == 412:
        details.append("Nothing was changed. Look at what is there now, then run the command again.")
    if response.status >= 500:
        return CommandFailure(f"server error: {text}", details=details)
    refused = Refused(response.status, text, details=[line for line in details if text not in line])
    refused.fields = [
        str(error["field"])
        for error in _list(problem.get("errors"))
        if isinstance(error, dict) and error.get("field")
    ]
    return refused


def _problem(response: Response) -> Json:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _encoded(body: Json) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadInput(f"cannot encode the request as JSON: {error}") from None


def _body(response: Response, url: str) -> Json:
    if not response.body:
        return {}
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise CommandFailure(f"the response of {url} is not a JSON object")
    return body


def _given(params: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {
        key: [str(each) for each in value] if isinstance(value, list) else str(value)
        for key, value in params.items()
        if value is not None
    }
