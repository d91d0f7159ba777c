"""An orchestration as the API description shows it."""

from typing import Any

from orchestrator_api.schedules.examples import MORNING
from orchestrator_api.triggers.examples import SALES

_ORDERS: dict[str, Any] = {
    "id": "csv-extractor/orders",
    "component": "csv-extractor",
    "configuration": "orders",
    "name": "Orders of the shop",
    "enabled": True,
    "continue_on_failure": False,
    "timeout_seconds": 86400,
    "attempts": 3,
    "attempt_delay_seconds": 60,
    "attempt_backoff": 2,
    "retry_on": "any",
    "parameters": {},
}
_LAST_RUN: dict[str, Any] = {
    "id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
    "number": 42,
    "status": "success",
    "origin": "schedule",
    "accepted_at": "2026-11-30T04:30:00.262Z",
    "started_at": "2026-11-30T04:30:00.301Z",
    "finished_at": "2026-11-30T04:34:10.887Z",
}
CAMPAIGNS: dict[str, Any] = {
    "id": "campaigns",
    "name": "Campaigns",
    "description": "Everything that the marketing dashboard shows.",
    "labels": ["marketing"],
    "enabled": True,
    "version": 3,
    "phases": [{"name": "Load", "tasks": [_ORDERS]}],
    "note": "Try three times.",
    "author": "ada@example.com",
    "created_at": "2026-11-02T09:00:00Z",
    "updated_at": "2026-11-30T08:15:00Z",
    "errors": [],
    "warnings": [],
    "schedules": [MORNING],
    "triggers": [SALES],
    "notifications": [
        {
            "event": "error",
            "channel": "email",
            "address": "data-team@example.com",
            "percent": None,
            "minutes": None,
        }
    ],
    "last_run": _LAST_RUN,
    "recent_runs": [_LAST_RUN],
    "next_fire": "2026-12-01T04:30:00Z",
    "usual_duration_seconds": 250.6,
    "etag": '"Zm9vYmFyYmF6cXV4"',
}
