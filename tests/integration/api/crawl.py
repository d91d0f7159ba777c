"""Every operation of the API's description, with a request for it that is valid apart from permissions."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message
from tests.integration.api.conftest import COMPONENT, orchestration

from orchestrator_api.openapi import description

GHOST = "00000000-0000-7000-8000-000000000000"
ENDS_SESSION = ("sign_out", "sign_out_everywhere")
"""Asked last, because whoever asks is then signed out."""


@dataclass(frozen=True)
class Request:
    """A request that is valid apart from permissions; `fine` are the statuses for those who have them."""

    fine: tuple[int, ...] = (200,)
    body: Any = None
    places: Mapping[str, str] | None = None
    query: str = ""
    without_session: tuple[int, ...] | None = None
    """The statuses for people who send a token, if they differ."""


TASKS = orchestration("one")
VARIABLE = {"kind": "variables", "project": "demo", "variables": {"other": "1"}}
PERIOD = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
ASKED = Request((202,), {})
GONE = Request((404,), places={"configuration": "ghost", "orchestration": "ghost", "schedule": "ghost"})
REQUESTS: Mapping[str, Request] = {
    "switch_orchestration": Request((200,), {"enabled": True}),
    "switch_schedule": Request((200,), {"enabled": True}),
    "switch_trigger": Request((200,), {"enabled": True}),
    "get_member": Request((404,)),
    "invite_member": Request((201, 409), {"email": "new@example.com", "role": "viewer"}),
    "change_member": Request((404,), {"role": "viewer"}),
    "remove_member": Request((404,)),
    "create_project": Request((201, 409), {"id": "another"}),
    "change_project": Request((200,), {"parallel_limit": None}),
    "save_component": Request((200,), COMPONENT),
    "save_configuration": Request((200,), {"parameters": {"rows": 1}}),
    "automate_configuration": Request((201,), {}),
    "restore_from_trash": GONE,
    "purge_from_trash": GONE,
    "delete_configuration": GONE,
    "save_orchestration": Request((200, 201), TASKS, {"orchestration": "saved"}),
    "delete_orchestration": GONE,
    "restore_configuration_version": Request((200,), {}),
    "copy_configuration": Request((201, 409), {"id": "copied"}),
    "restore_orchestration_version": Request((200,), {}),
    "copy_orchestration": Request((201, 409), {"id": "copied"}),
    "group_tasks": Request((200,), {"by": "type"}),
    "arrange_tasks": Request((200,), {"operations": [{"operation": "one_task_per_phase"}]}),
    "change_draft": Request((200,), {"operations": [{"operation": "one_task_per_phase"}]}),
    "preview_draft": Request((200,), {"operations": [{"operation": "one_task_per_phase"}]}),
    "save_draft": Request((200, 409), {}),
    "discard_draft": Request((204,)),
    "change_orchestration_token": Request((200,), {"components": ["*"]}),
    "refresh_orchestration_token": Request((204,)),
    "run_orchestration": ASKED,
    "run_configuration": ASKED,
    "backfill_schedule": Request((202,), {"orchestration": "daily", "schedule": "mornings", **PERIOD}),
    "get_run": Request((404,)),  # no runner has accepted one
    "search": Request(query="?q=x"),
    "search_job_log": Request(query="?q=x"),
    "terminate_job": Request((202,)),
    "plan_retry": Request((409,)),  # it is not finished
    "retry_job": Request((409,), {"plan_id": "x"}),
    "save_schedule": Request((200,), {"cron": "30 5 * * *"}),
    "delete_schedule": GONE,
    "restore_schedule": Request((200, 404, 409)),
    "preview_schedule": Request((200,), {"cron": "30 5 * * *"}),
    "save_trigger": Request((200,), {"tables": ["in.c-x.t"]}),
    "preview_trigger": Request((200,), {"tables": ["in.c-x.t"]}),
    "delete_trigger": Request((404,), places={"trigger": "ghost"}),
    "reset_trigger": Request((204,)),
    "publish_table_updates": Request((202,), {"table": "in.c-x.t"}),
    "share_bucket": Request((204,)),
    "unshare_bucket": Request((404,), places={"bucket": "in.c-ghost"}),
    "save_variable": Request((200,), {"value": "1"}),
    "delete_variable": Request((404,), places={"name": "ghost"}),
    "create_token": Request((201,), {"name": "made", "scopes": ["read"]}),
    "change_token": Request((404,), {"name": "changed"}),
    "refresh_token": Request((404,)),
    "get_token": Request((404,)),
    "revoke_token": Request((404,)),
    "get_administrator_token": Request((404,)),
    "revoke_administrator_token": Request((404,)),
    "send_test_mail": Request((422,), {"address": "nobody@example.com"}),
    "save_notifications": Request((200,), {"subscriptions": []}),
    "plan_definitions": Request((200,), {"documents": []}),
    "apply_definitions": Request((200,), {"documents": []}),
    "replay_dead_letter": Request((404,)),
    "discard_dead_letter": Request((404,)),
    "receive_callback": Request((404,), {}),
    "sign_in": Request((401,), {"email": "ghost@example.com", "password": "not the right one"}),
    "create_cli_login": Request((401,), {"code": "x", "verifier": "v" * 43}),
    "revoke_own_token": Request((404,)),
    "request_password_reset": Request((202,), {"email": "ghost@example.com"}),
    "get_link": Request((404,)),
    "use_link": Request((404,), {"password": "a new, long password"}),
    "invite_person": Request((201,), {"email": "another@example.com"}),
    "reset_password": Request((404,)),
    "unlink_person": Request((404,)),
    "get_session": Request((200,), without_session=(404,)),
    "sign_out": Request((204,), without_session=(404,)),
    "end_session": Request((404,)),
    "sign_out_everywhere": Request((204,)),
    "change_password": Request(
        (422,), {"current_password": "not the right one", "new_password": "a new, long password"}
    ),
    "change_me": Request((200,), {"preferences": {"theme": "dark"}}),
    "get_person": Request((404,)),
    "change_person": Request((404,), {"disabled": True}),
}


@dataclass(frozen=True)
class Call:
    """One operation of the API's description."""

    name: str
    method: str
    path: str

    @property
    def is_of_project(self) -> bool:
        return "{project}" in self.path

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def request(self) -> Request:
        known = REQUESTS.get(self.name)
        assert known or self.method == "GET", f"{self.name} has no request in REQUESTS"
        return known or Request()

    def url(self, places: Mapping[str, str]) -> str:
        return self.path.format_map(places) + self.request.query


def calls() -> list[Call]:
    paths = json.loads(description())["paths"]
    found = [
        Call(operation["operationId"], method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
    ]
    return sorted(found, key=lambda call: call.name in ENDS_SESSION)


@dataclass(frozen=True)
class Caller:
    """Someone who makes requests: what they send along, and what their own requests are about."""

    headers: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back; of a stream only its head."""

    status: int
    text: str
    headers: Mapping[str, str]


async def send(
    app: ASGIApp, caller: Caller, call: Call, places: Mapping[str, str], body: Any = None
) -> Answer:
    """Make the call; where it would change what there is, whatever that is."""
    url, sent = call.url(places), call.request.body if body is None else body
    answer = await ask(app, call.method, url, sent, caller.headers)
    if answer.status == 428:
        answer = await ask(app, call.method, url, sent, {**caller.headers, "If-Match": "*"})
    return answer


async def ask(app: ASGIApp, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
    """One request to an application in this process, without what a client costs: there are thousands.

    A body of bytes is sent as it is, with the content type of `headers`.
    """
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    head: list[Message] = []
    unread, parts, is_over = [content], list[bytes](), asyncio.Event()

    async def receive() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.append(message)
            if (b"content-type", b"text/event-stream") in [
                (k, v.split(b";")[0]) for k, v in message["headers"]
            ]:
                is_over.set()  # its end may never come
        elif not is_over.is_set():
            parts.append(message.get("body", b""))

    await app(_scope(method, url, content, headers), receive, take)
    told = {name.decode(): value.decode() for name, value in head[0]["headers"]}
    return Answer(head[0]["status"], b"".join(parts).decode(), told)


def _scope(method: str, url: str, content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = url.partition("?")
    sent = {
        **({"Content-Type": "application/json"} if content else {}),
        **headers,
        "Host": "api",
        "Content-Length": str(len(content)),
        "X-Request-Id": "of-every-request",  # in problems, which are compared
    }
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "server": ("api", 80), "client": ("127.0.0.1", 123),
    }  # fmt: skip
