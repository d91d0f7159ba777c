"""What the services of a test's stack are told, and what the broker lets each of them do."""

import base64
from collections.abc import Mapping

ADMIN_EMAIL = "admin@example.com"
ADMIN_TOKEN = "orc_end_to_end_administrator_0123456789abcdefghij"
LINK_KEY = base64.b64encode(bytes(range(32, 64))).decode()
MAIL_FROM = "Orchestrator <orchestrator@example.com>"

MODULES = {
    "api": "orchestrator_api",
    "scheduler": "orchestrator_scheduler",
    "trigger-watcher": "orchestrator_trigger_watcher",
    "runner": "orchestrator_runner",
    "notifier": "orchestrator_notifier",
}

FEED = r"amq\.gen.*"
RIGHTS: Mapping[str, tuple[str, str, str]] = {
    "api": (
        f"^{FEED}$",
        rf"^({FEED}|orchestrator\.(commands|events|table-updates|dead-letters))$",
        rf"^({FEED}|orchestrator\.(events|dead-letters))$",
    ),
    "scheduler": ("^$", r"^orchestrator\.(commands|events|dead-letters)$", r"^scheduler\..*$"),
    "trigger-watcher": ("^$", r"^orchestrator\.(commands|events|dead-letters)$", r"^trigger-watcher\..*$"),
    "runner": (
        f"^{FEED}$",
        rf"^({FEED}|orchestrator\.(events|table-updates|dead-letters))$",
        rf"^(runner\..*|{FEED}|orchestrator\.events)$",
    ),
    "notifier": ("^$", r"^orchestrator\.dead-letters$", r"^notifier\..*$"),
}
"""The broker's users: what each may configure, write and read, and nothing beyond."""

QUICK: Mapping[str, Mapping[str, str]] = {
    "api": {
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_MEASURE_SECONDS": "1",
    },
    "scheduler": {"ORCHESTRATOR_SCAN_SECONDS": "1", "ORCHESTRATOR_POLL_SECONDS": "0.2"},
    "trigger-watcher": {
        "ORCHESTRATOR_SCAN_SECONDS": "1",
        "ORCHESTRATOR_DUE_POLL_SECONDS": "0.5",
        "ORCHESTRATOR_MEASURE_SECONDS": "1",
    },
    "runner": {
        "ORCHESTRATOR_LEASE_SECONDS": "3",
        "ORCHESTRATOR_HEARTBEAT_SECONDS": "0.4",
        "ORCHESTRATOR_POLL_SECONDS": "0.5",
        "ORCHESTRATOR_SCAN_SECONDS": "1",
        "ORCHESTRATOR_TASK_GRACE_SECONDS": "1",
        "ORCHESTRATOR_TASK_DRAIN_SECONDS": "0.3",
        "ORCHESTRATOR_MEASURE_SECONDS": "1",
    },
    "notifier": {
        "ORCHESTRATOR_SMTP_TLS": "none",
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_MAIL_FROM": MAIL_FROM,
        "ORCHESTRATOR_SCAN_SECONDS": "1",
        "ORCHESTRATOR_POLL_SECONDS": "0.3",
        "ORCHESTRATOR_SMTP_CONNECT_TIMEOUT_SECONDS": "4",
        "ORCHESTRATOR_SMTP_SEND_TIMEOUT_SECONDS": "4",
        "ORCHESTRATOR_DELIVERY_LEASE_SECONDS": "8",
        "ORCHESTRATOR_DELIVERY_RETRY_FIRST_SECONDS": "0.5",
    },
}
