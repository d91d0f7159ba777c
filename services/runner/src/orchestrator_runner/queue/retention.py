"""Deletes old data of the runner."""

from functools import partial

import asyncpg

from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Retention

RETENTION_SECONDS = 3600.0
BATCH = 200
LOST_REPLICA_DAYS = 7


def retention(pool: asyncpg.Pool, *, days: int, log_days: int) -> Retention:
    """Deletes finished runs with all below them, logs (sooner), records, tombstones and lost replicas."""
    return Retention(
        partial(acquire, pool),
        Queries.load("orchestrator_runner.queue", "retention.sql"),
        {
            "forget_logs": {"days": log_days},
            "forget_jobs": {"days": days},
            "forget_records": {"days": days},
            "forget_tombstones": {"days": days},
            "forget_replicas": {"days": LOST_REPLICA_DAYS},
        },
        batch=BATCH,
    )
