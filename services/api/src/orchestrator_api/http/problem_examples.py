"""One problem of each status as the API description shows it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any


def _of(status: int, detail: str, field: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [] if field is None else [{"field": field, "detail": detail.removeprefix(f"{field}: ")}],
        "request_id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
        **more,
    }


_CHANGE = {"by": "ada@example.com", "at": "2026-11-30T08:15:00Z", "how": "changed"}
PROBLEMS: dict[str, dict[str, Any]] = {
    "malformed": _of(400, "malformed JSON at line 3, column 5: Expecting value", "body:3:5"),
    "unauthenticated": _of(401, "sign in, or send a token: Authorization: Bearer orc_…"),
    "forbidden": _of(403, "this token lacks the scope configure: use one that has it"),
    "not_found": _of(404, "there is no orchestration 'campaigns' in this project", "orchestration"),
    "body_late": _of(408, "the body did not arrive within 30 seconds: send a smaller body", "body"),
    "conflict": _of(409, "csv-extractor/orders is a task of campaigns: remove it there first"),
    "stale": _of(
        412,
        "ada@example.com saved version 4 at 2026-11-30T08:15:00Z, after you read it: "
        "reload it and apply your change again",
        "If-Match",
        change=_CHANGE,
    ),
    "too_large": _of(413, "the body is larger than 65536 bytes (64 KiB): send less at a time", "body"),
    "encoded": _of(415, "Content-Encoding is not supported: send the body uncompressed", "Content-Encoding"),
    "invalid": _of(422, "cron: the minute must be between 0 and 59", "cron"),
    "condition_missing": _of(
        428,
        "you would change this orchestration: send the etag that you have read, so that you do not "
        "overwrite a change that you have not seen, or * to overwrite whatever is there",
        "If-Match",
    ),
    "too_many": _of(
        429,
        "you sent more than 500 requests a second with this token; spread them out, ask for larger pages, "
        "or ask the operator to raise ORCHESTRATOR_REQUESTS_PER_SECOND or ORCHESTRATOR_REQUESTS_BURST: "
        "try again in 1 seconds",
    ),
    "unavailable": _of(503, "the api is busy with other long-running requests: try again in a few seconds"),
}


def names_for(status: int) -> Sequence[str]:
    """The names of the examples of a status."""
    return [name for name, shown in PROBLEMS.items() if shown["status"] == status]
