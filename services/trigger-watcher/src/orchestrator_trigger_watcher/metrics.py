"""Metrics of the trigger-watcher, beyond those that every service has."""

from prometheus_client import Counter, Gauge, Histogram

from orchestrator_shared.domain.statuses import Disposition
from orchestrator_shared.metrics import start_at_zero
from orchestrator_trigger_watcher.domain.decisions import PendingEnd

UPDATES = Counter(
    "orchestrator_table_updates_total",
    "Table updates received, by whether they were new or delivered again.",
    ["kind"],
)
DISPOSITIONS = Counter(
    "orchestrator_trigger_dispositions_total",
    "Dispositions of updates, one per update and trigger.",
    ["disposition"],
)
FIRES = Counter("orchestrator_trigger_fires_total", "Runs requested by triggers.")
PENDING_ENDS = Counter(
    "orchestrator_trigger_pending_ends_total",
    "Requested runs no longer waited for, by how that ended.",
    ["how"],
)
UPDATE_TO_RUN_SECONDS = Histogram(
    "orchestrator_trigger_update_to_run_seconds",
    "From what made a trigger fire to the start of the run.",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200),
)
SYNCED = Counter(
    "orchestrator_trigger_syncs_total", "Triggers read anew from the catalog because they had changed."
)
SCAN_SECONDS = Histogram(
    "orchestrator_trigger_scan_seconds", "Time of one slow scan for changes whose hints were lost."
)
FORGOTTEN = Counter("orchestrator_trigger_rows_forgotten_total", "Rows deleted for their age.", ["query"])

TABLES = Gauge(
    "orchestrator_trigger_tables", "Tables of enabled triggers, by state (updated, awaited).", ["state"]
)
DATA_AGE = Gauge(
    "orchestrator_trigger_data_age_seconds",
    "Age of the oldest update that counts for a trigger and that no run has used.",
    ["project", "orchestration", "trigger"],
)
TABLES_AWAITED = Gauge(
    "orchestrator_trigger_tables_awaited",
    "How many tables a trigger with such an update still waits for.",
    ["project", "orchestration", "trigger"],
)

start_at_zero(UPDATES, ("new", "repeated"))
start_at_zero(DISPOSITIONS, tuple(Disposition))
start_at_zero(PENDING_ENDS, tuple(PendingEnd))
