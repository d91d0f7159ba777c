"""`orchestrator jobs show` of a run that failed."""

from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.commands.first_errors import error_lines, first_error
from orchestrator_cli.context import Context

WHERE = Context(url="http://s:1", token="t", project="demo")
ERROR: dict[str, Any] = {
    "job_id": "j1",
    "task_id": "sql/recipient",
    "configuration": "recipient",
    "message": "column r.opted_in does not exist",
    "line": 22,
    "earlier": {
        "run_id": "r34",
        "run_number": 34,
        "orchestration": "campaigns",
        "finished_at": "2026-11-26T04:36:40Z",
        "ended_by_version": 7,
    },
    "version": 11,
    "changed": {
        "version": 12,
        "saved_at": "2026-11-30T06:05:12Z",
        "author": "jana@example.com",
        "note": "opt_in",
    },
}


def asked(status: int, body: Any, job: dict[str, Any]) -> Any:
    answering = Answering(lambda _: httpx.Response(status, json=body))
    return first_error(ApiClient("http://s:1", "t", transport=answering), WHERE, job)


def test_what_is_known_about_an_error() -> None:
    assert error_lines(ERROR) == [
        ("first error", "sql/recipient, line 22 of the log of j1"),
        ("", "column r.opted_in does not exist"),
        ("same error as", "campaigns #34, 2026-11-26 04:36:40; version 7 ended it"),
        ("changed since", "version 11 is now 12 (jana@example.com, 2026-11-30 06:05:12): opt_in"),
    ]
    bare = {**ERROR, "task_id": None, "line": None, "message": None, "earlier": None, "changed": None}
    assert error_lines(bare) == [("first error", "recipient")]
    assert error_lines(None) == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_tell(status: int) -> None:
    assert asked(status, {"detail": "no"}, {"id": "r", "status": "error"}) is None


def test_only_what_failed_is_asked_about() -> None:
    answer = {"error": ERROR, "failed": 1}
    assert asked(200, answer, {"id": "r", "status": "warning"}) == ERROR
    assert asked(200, answer, {"id": "r", "status": "success"}) is None
