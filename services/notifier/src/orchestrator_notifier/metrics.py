"""Metrics of the notifier; never a job, an orchestration or an address as a label."""

from prometheus_client import Counter, Gauge, Histogram

from orchestrator_shared.metrics import start_at_zero

FACTS = Counter("orchestrator_notifier_facts_total", "Facts made, by event", ["event"])
FOUND_BY_SCAN = Counter(
    "orchestrator_notifier_facts_found_by_scan_total", "Finished runs and links whose event was lost or late"
)
ENQUEUED = Counter("orchestrator_notifier_deliveries_made_total", "Deliveries made, by reason", ["reason"])
DELIVERIES = Counter(
    "orchestrator_notifier_deliveries_total",
    "Tries to send, by how they ended (sent, postponed, failed)",
    ["outcome"],
)
DELAY_SECONDS = Histogram(
    "orchestrator_notifier_delivery_delay_seconds",
    "Age of a delivery when the SMTP server has taken it",
    buckets=(0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 43200),
)
PENDING = Gauge("orchestrator_notifier_deliveries_pending", "Deliveries not sent yet")
OLDEST_PENDING = Gauge(
    "orchestrator_notifier_oldest_pending_seconds", "Age of the oldest delivery that is not sent yet"
)
SEND_SECONDS = Histogram(
    "orchestrator_notifier_send_seconds",
    "Time from handing one mail to the SMTP server to its answer",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CONNECTIONS_FAILED = Counter(
    "orchestrator_notifier_smtp_connections_failed_total", "Times the SMTP server could not be used at all"
)

start_at_zero(ENQUEUED, ("subscription", "starter", "person"))
start_at_zero(DELIVERIES, ("sent", "postponed", "failed"))
