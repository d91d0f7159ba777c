"""A schedule as the API description shows it."""

from typing import Any

MORNING: dict[str, Any] = {
    "id": "0198e0b7-2f4d-7a10-8c66-51d0a9b3e7f2",
    "orchestration": "campaigns",
    "name": "morning",
    "cron": "30 5 * * 1-5",
    "every_seconds": None,
    "timezone": "Europe/Prague",
    "words": "Mondays to Fridays at 05:30",
    "enabled": True,
    "overlap": "one_waiting",
    "misfire": "fire_once",
    "catch_up_seconds": 86400,
    "version": 1,
    "next_at": "2026-12-01T04:30:00Z",
    "warning": None,
    "hint": None,
    "problem": None,
    "etag": '"bW9ybmluZzE2Zm9v"',
}
