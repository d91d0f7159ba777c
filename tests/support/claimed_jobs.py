"""A claimed job for tests that need no database."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from orchestrator_runner.runs.jobs import ClaimedJob


def claimed_job(number: int = 1, **fields: Any) -> ClaimedJob:
    """In its first and only attempt, by itself; `number` makes its ids."""
    return ClaimedJob(
        **{
            "id": UUID(int=number),
            "lane_id": number,
            "project": "p",
            "component": "c",
            "configuration": str(number),
            "version": 1,
            "run_id": None,
            "root_id": UUID(int=number),
            "phase": None,
            "task_id": None,
            "epoch": 1,
            "attempt": 1,
            "free_attempts": 0,
            "max_attempts": 1,
            "attempt_delay_seconds": 0,
            "attempt_backoff": 1,
            "retry_on": "any",
            "timeout_seconds": None,
            "parameters": {},
            "scheduled_for": datetime(2026, 3, 1, tzinfo=UTC),
            "previous_success": None,
            "executor": "process",
            "safe_to_rerun": False,
            "component_saved_at": None,
            "has_state": False,
            "revision": 1,
            **fields,
        }
    )
