"""Messages to send in tests."""

from datetime import UTC, datetime

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.contracts.routing import Queue
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin


def run_requested() -> RunRequested:
    now = datetime.now(UTC)
    return RunRequested(
        job_id=new_job_id(),
        project="demo",
        configuration="nightly",
        origin=Origin.API,
        requested_at=now,
        scheduled_for=now,
    )


def updated(table: str = "in.c-sales.orders", *, rows: int | None = None) -> TableUpdated:
    return TableUpdated(project="demo", table=table, rows=rows)


RUNS = Queue("runner.commands", (RunRequested,))
"""The queue of the runner, for those who have a handler only for this."""
