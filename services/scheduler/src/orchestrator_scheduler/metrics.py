"""Metrics of the scheduler, beyond those that every service has."""

from prometheus_client import Counter, Gauge, Histogram

from orchestrator_scheduler.domain.evaluation import Outcome
from orchestrator_shared.metrics import start_at_zero

FIRES = Counter("orchestrator_schedule_fires_total", "Fires of schedules, by outcome.", ["outcome"])
LATENESS = Histogram(
    "orchestrator_schedule_fire_lateness_seconds",
    "From the instant of a fire to the request of its run; fires that were missed and made up are not in it.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
OVERDUE_SECONDS = Gauge(
    "orchestrator_schedule_overdue_seconds", "How long the most overdue fire has been due."
)
SYNCED = Counter("orchestrator_schedule_syncs_total", "Schedules read anew from the catalog.")
SCAN_SECONDS = Histogram(
    "orchestrator_schedule_scan_seconds", "Time of one slow scan for schedules whose change was missed."
)
FORGOTTEN = Counter("orchestrator_schedule_fires_forgotten_total", "Fires deleted for their age.")

start_at_zero(FIRES, tuple(Outcome))
