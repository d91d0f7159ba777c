"""A realistic draft, for the API description."""

from typing import Any

_TASK: dict[str, Any] = {
    "id": "csv-extractor/orders",
    "component": "csv-extractor",
    "configuration": "orders",
    "name": "Orders",
    "enabled": True,
    "continue_on_failure": False,
    "timeout_seconds": 86400,
    "attempts": 3,
    "attempt_delay_seconds": 60,
    "attempt_backoff": 1.0,
    "retry_on": "any",
    "parameters": {},
    "type": "extractor",
    "usual_seconds": 41.2,
    "was_in": None,
}
_SALES = {
    **_TASK,
    "id": "sql-transformation/daily-sales",
    "component": "sql-transformation",
    "configuration": "daily-sales",
    "name": "Daily sales",
    "attempts": 1,
    "attempt_delay_seconds": 0,
    "type": "transformation",
    "usual_seconds": 12.5,
    "was_in": "Transform",
}
BOARD: dict[str, Any] = {
    "etag": '"Zm9vYmFyYmF6cXV4"',
    "orchestration": "campaigns",
    "name": "Campaigns",
    "is_open": True,
    "base_version": 9,
    "version": 9,
    "phases": [{"name": "Load", "usual_seconds": 41.2, "tasks": [_TASK, _SALES]}],
    "usual_seconds": 41.2,
    "changes": [
        {"kind": "phase", "text": "Phase Transform is gone", "task": None, "phase": None, "was_in": None},
        {
            "kind": "moved",
            "text": "Daily sales moved from Transform to Load",
            "task": "sql-transformation/daily-sales",
            "phase": None,
            "was_in": "Transform",
        },
    ],
    "checks": [
        {
            "id": "unordered-5f0c1f6a7d21",
            "level": "warning",
            "kind": "unordered",
            "text": "Reads in.orders, which Orders writes in this same phase. Their order is not guaranteed.",
            "task": "sql-transformation/daily-sales",
            "phase": 0,
            "remedy": {
                "label": "Move to a phase after it",
                "operations": [
                    {
                        "operation": "move_tasks",
                        "tasks": ["sql-transformation/daily-sales"],
                        "to": "Transformations",
                        "after": 0,
                    }
                ],
            },
            "kept": False,
        }
    ],
    "errors": 0,
    "warnings": 1,
    "undo": "Daily sales moved from Transform to Load",
    "redo": None,
    "conflict": None,
    "opened_at": "2026-11-21T08:12:00Z",
    "updated_at": "2026-11-21T08:15:00Z",
}
