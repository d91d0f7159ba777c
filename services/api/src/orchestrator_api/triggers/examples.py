"""A trigger as the API description shows it."""

from typing import Any

SALES: dict[str, Any] = {
    "id": "0198e0b9-71c3-7f02-9d18-e4a6b05c2d83",
    "orchestration": "campaigns",
    "name": "sales",
    "tables": ["in.c-sales.orders", "in.c-sales.returns"],
    "cool_down_seconds": 900,
    "mode": "defer",
    "enabled": True,
    "allow_self_trigger": False,
    "version": 1,
    "tables_ready": 1,
    "etag": '"c2FsZXMxMjM0NTY3"',
}
