"""Metrics of the trigger-watcher, beyond those that every service has."""

from prometheus_client import Counter, Histogram

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
SYNCED = Counter(
    "orchestrator_trigger_syncs_total", "Triggers read anew from the catalog because they had changed."
)
SCAN_SECONDS = Histogram(
    "orchestrator_trigger_scan_seconds", "Time of one slow scan for changes whose hints were lost."
)
FORGOTTEN = Counter("orchestrator_trigger_rows_forgotten_total", "Rows deleted for their age.", ["query"])
